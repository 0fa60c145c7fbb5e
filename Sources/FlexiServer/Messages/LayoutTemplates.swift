/// What stands around every mail and every page.
enum LayoutTemplates {
    static let all: [String: String] = [
        "mail.html": """
        <!DOCTYPE html>
        <html lang="{{$lang}}en{{/lang}}">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>{{$title}}{{/title}}</title>
        <style>
        :root { color-scheme: light dark; }
        body { margin: 0; padding: 1.5rem; background: #ffffff; color: #1d2733; font: 1rem/1.5 sans-serif; }
        main { max-width: 34rem; margin: 0 auto; overflow-wrap: anywhere; }
        h1 { font-size: 1.4rem; line-height: 1.3; }
        .button { display: inline-block; padding: .7rem 1.3rem; border-radius: .4rem; background: #0b5394; color: #ffffff; }
        code { font-size: 1.15rem; }
        th { text-align: left; vertical-align: top; padding-right: 1rem; font-weight: normal; color: #4b5968; overflow-wrap: normal; }
        footer { margin-top: 2rem; color: #4b5968; }
        @media (prefers-color-scheme: dark) {
            body { background: #1a232d; color: #e6ebf0; }
            .button { background: #6fb1ee; color: #0b1622; }
            th, footer { color: #a9b6c3; }
        }
        </style>
        </head>
        <body>
        <main>
        <h1>{{$title}}{{/title}}</h1>
        {{$content}}{{/content}}
        <footer>{{service}}</footer>
        </main>
        </body>
        </html>
        """,
        "page.html": """
        <!DOCTYPE html>
        <html lang="{{$lang}}en{{/lang}}">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="robots" content="noindex">
        <title>{{$title}}{{/title}} – {{service}}</title>
        <style>
        :root { color-scheme: light dark; }
        * { box-sizing: border-box; }
        body { margin: 0; min-height: 100vh; min-height: 100svh; display: grid; place-items: center; padding: clamp(.75rem, 5vw, 1.5rem);
               background: #eef2f6; color: #1d2733; font: 1.0625rem/1.55 system-ui, sans-serif; }
        /* The borders are seen by those whose system chooses the colours. */
        main { width: 100%; max-width: 32rem; padding: clamp(1.25rem, 6vw, 2rem); border: 1px solid transparent;
               border-radius: .75rem; background: #ffffff;
               box-shadow: 0 1px 3px rgb(0 0 0 / 18%); overflow-wrap: anywhere; }
        h1 { margin: 0 0 1rem; font-size: 1.5rem; line-height: 1.25; }
        button { width: 100%; margin-top: .5rem; padding: .85rem 1.25rem; border: 1px solid transparent; border-radius: .5rem;
                 background: #0b5394; color: #ffffff; font: inherit; font-weight: 600; cursor: pointer; }
        button:hover { background: #08406f; }
        button:focus-visible { outline: 3px solid #e69138; outline-offset: 3px; }
        footer { margin-top: 2rem; color: #4b5968; font-size: .9375rem; }
        @media (prefers-color-scheme: dark) {
            body { background: #10161d; color: #e6ebf0; }
            main { background: #1a232d; box-shadow: none; }
            button { background: #6fb1ee; color: #0b1622; }
            button:hover { background: #93c5f4; }
            footer { color: #a9b6c3; }
        }
        </style>
        </head>
        <body>
        <main>
        <h1>{{$title}}{{/title}}</h1>
        {{$content}}{{/content}}
        <footer>{{service}}</footer>
        </main>
        </body>
        </html>
        """,
    ]
}
