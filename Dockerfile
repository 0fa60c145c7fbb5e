# Both stages are Debian 12: the programs bring Swift's libraries with them and take everything else from the distribution.
FROM swift:6.3-bookworm AS builder
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libcurl4-openssl-dev libpng-dev libpq-dev libqrencode-dev libssl-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY Package.swift ./
RUN swift package resolve
COPY docs/openapi.yaml docs/openapi.yaml
COPY Sources Sources
COPY Tests Tests
RUN swift build --configuration release --static-swift-stdlib --product FlexiServer \
    && swift build --configuration release --static-swift-stdlib --product migrate \
    && mkdir /app \
    && cp .build/release/FlexiServer .build/release/migrate /app/ \
    && strip /app/FlexiServer /app/migrate
COPY migrations /app/migrations

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates curl libcurl4 libpng16-16 libpq5 libqrencode4 libssl3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin flexi
WORKDIR /app
COPY --from=builder /app /app
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
CMD ["/app/FlexiServer", "serve", "--hostname", "0.0.0.0", "--port", "8080"]
