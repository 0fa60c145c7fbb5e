// Goroutines that lease a connection of pgx's pool for one small query at a time. Prints what they did as one line of JSON.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v4/pgxpool"
)

func main() {
	if len(os.Args) != 4 {
		fail(fmt.Errorf("usage: pgx TASKS CONNECTIONS SECONDS"))
	}
	tasks, err := strconv.Atoi(os.Args[1])
	fail(err)
	connections, err := strconv.Atoi(os.Args[2])
	fail(err)
	seconds, err := strconv.ParseFloat(os.Args[3], 64)
	fail(err)

	config, err := pgxpool.ParseConfig("")
	fail(err)
	config.MaxConns = int32(connections)
	pool, err := pgxpool.ConnectConfig(context.Background(), config)
	fail(err)
	// Every connection is made and has the statement prepared.
	run(pool, 4*connections, 200*time.Millisecond)

	begun, cpu := time.Now(), cpuSeconds()
	latencies := run(pool, tasks, time.Duration(seconds*float64(time.Second)))
	elapsed, used := time.Since(begun).Seconds(), cpuSeconds()-cpu
	sort.Slice(latencies, func(a, b int) bool { return latencies[a] < latencies[b] })
	percentile := func(part float64) float64 {
		return float64(latencies[int(part*float64(len(latencies)-1))].Nanoseconds()) / 1000
	}
	fail(json.NewEncoder(os.Stdout).Encode(map[string]float64{
		"queries": float64(len(latencies)), "seconds": elapsed, "cpu": used,
		"p50": percentile(0.5), "p99": percentile(0.99), "max": percentile(1),
	}))
}

// How long each query took.
func run(pool *pgxpool.Pool, tasks int, length time.Duration) []time.Duration {
	end := time.Now().Add(length)
	all := make([][]time.Duration, tasks)
	var group sync.WaitGroup
	for task := 0; task < tasks; task++ {
		group.Add(1)
		go func(task int) {
			defer group.Done()
			number := int32(task)
			for now := time.Now(); now.Before(end); {
				var answer int32
				fail(pool.QueryRow(context.Background(), "SELECT $1::int", number).Scan(&answer))
				if answer != number {
					fail(fmt.Errorf("asked for %d, answered %d", number, answer))
				}
				then := time.Now()
				all[task] = append(all[task], then.Sub(now))
				now = then
				number++
			}
		}(task)
	}
	group.Wait()
	var latencies []time.Duration
	for _, some := range all {
		latencies = append(latencies, some...)
	}
	return latencies
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	fail(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	seconds := func(time syscall.Timeval) float64 { return float64(time.Sec) + float64(time.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "pgx:", err)
		os.Exit(1)
	}
}
