enum EnglishTemplates {
    static let all: [String: String] = [
        "confirm-address.en.txt": """
        Subject: Confirm your new mail address
        Hello,

        this address is to become the mail address of the account {{address}}. To confirm that, open this page and press its button:

        {{link}}

        An app may ask you for the code instead: {{code}}

        If this was not you, do nothing. Without the code nothing changes.

        {{service}}
        """,
        "confirm-address.en.html": """
        {{<mail.html}}{{$lang}}en{{/lang}}{{$title}}Confirm your new mail address{{/title}}{{$content}}
        <p>This address is to become the mail address of the account <strong>{{address}}</strong>.</p>
        <p><a class="button" href="{{link}}">Confirm the address</a></p>
        <p>An app may ask you for the code instead: <code>{{code}}</code></p>
        <p>If this was not you, do nothing. Without the code nothing changes.</p>
        {{/content}}{{/mail.html}}
        """,
        "address-changed.en.txt": """
        Subject: The mail address of your account was changed
        Hello,

        the account {{address}} has a new mail address. From now on, nothing about it is sent to this one.

        If neither you nor whoever runs the service did that, somebody else can use your account: change its password, and tell them.

        {{service}}
        """,
        "address-changed.en.html": """
        {{<mail.html}}{{$lang}}en{{/lang}}{{$title}}The mail address of your account was changed{{/title}}{{$content}}
        <p>The account <strong>{{address}}</strong> has a new mail address. From now on, nothing about it is sent to this one.</p>
        <p>If neither you nor whoever runs the service did that, somebody else can use your account: change its password, and tell them.</p>
        {{/content}}{{/mail.html}}
        """,
        "activation.en.txt": """
        Subject: Activate your account
        Hello,

        the account {{address}} was made with this mail address. To activate it, open this page and press its button:

        {{link}}

        An app may ask you for the code instead: {{code}}

        If this was not you, do nothing. The account stays inactive.

        {{service}}
        """,
        "activation.en.html": """
        {{<mail.html}}{{$lang}}en{{/lang}}{{$title}}Activate your account{{/title}}{{$content}}
        <p>The account <strong>{{address}}</strong> was made with this mail address.</p>
        <p><a class="button" href="{{link}}">Activate the account</a></p>
        <p>An app may ask you for the code instead: <code>{{code}}</code></p>
        <p>If this was not you, do nothing. The account stays inactive.</p>
        {{/content}}{{/mail.html}}
        """,
        "registration-confirmed.en.txt": """
        Subject: Your account is active
        Hello,

        your account is active. This is what a SIP client asks for:

        SIP address: {{address}}
        User name: {{username}}
        Domain: {{domain}}
        {{#proxy}}
        Proxy: {{proxy}}
        {{/proxy}}
        {{#transport}}
        Transport: {{transport}}
        {{/transport}}

        {{service}}
        """,
        "registration-confirmed.en.html": """
        {{<mail.html}}{{$lang}}en{{/lang}}{{$title}}Your account is active{{/title}}{{$content}}
        <p>This is what a SIP client asks for:</p>
        <table>
        <tr><th scope="row">SIP address</th><td>{{address}}</td></tr>
        <tr><th scope="row">User name</th><td>{{username}}</td></tr>
        <tr><th scope="row">Domain</th><td>{{domain}}</td></tr>
        {{#proxy}}<tr><th scope="row">Proxy</th><td>{{proxy}}</td></tr>{{/proxy}}
        {{#transport}}<tr><th scope="row">Transport</th><td>{{transport}}</td></tr>{{/transport}}
        </table>
        {{/content}}{{/mail.html}}
        """,
        "pin.en.txt": """
        {{code}} is your {{service}} code, valid for 10 minutes. Do not tell it to anybody.
        """,

        "ask-confirmation.en.html": """
        {{<page.html}}{{$lang}}en{{/lang}}{{$title}}Confirm your mail address{{/title}}{{$content}}
        <p>Press the button, and this is the mail address of the account <strong>{{address}}</strong>.</p>
        <form method="post"><button type="submit">Confirm the address</button></form>
        {{/content}}{{/page.html}}
        """,
        "ask-activation.en.html": """
        {{<page.html}}{{$lang}}en{{/lang}}{{$title}}Activate your account{{/title}}{{$content}}
        <p>Press the button, and the account <strong>{{address}}</strong> is active.</p>
        <form method="post"><button type="submit">Activate the account</button></form>
        {{/content}}{{/page.html}}
        """,
        "address-confirmed.en.html": """
        {{<page.html}}{{$lang}}en{{/lang}}{{$title}}Your mail address is confirmed{{/title}}{{$content}}
        <p>The account <strong>{{address}}</strong> has its new mail address. You can close this page.</p>
        {{/content}}{{/page.html}}
        """,
        "account-activated.en.html": """
        {{<page.html}}{{$lang}}en{{/lang}}{{$title}}Your account is active{{/title}}{{$content}}
        <p>The account <strong>{{address}}</strong> is ready. You can close this page and log in to your app.</p>
        {{/content}}{{/page.html}}
        """,
        "unknown-code.en.html": """
        {{<page.html}}{{$lang}}en{{/lang}}{{$title}}This link does not work{{/title}}{{$content}}
        <p>It was used already, or has expired, or was not copied whole. If you still need it, ask for a new one in your app.</p>
        {{/content}}{{/page.html}}
        """,
        "unavailable.en.html": """
        {{<page.html}}{{$lang}}en{{/lang}}{{$title}}Not available{{/title}}{{$content}}
        <p>The service does not answer at the moment. The link stays valid: please try again in a few minutes.</p>
        {{/content}}{{/page.html}}
        """,
    ]
}
