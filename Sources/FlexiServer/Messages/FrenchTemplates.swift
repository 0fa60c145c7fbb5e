enum FrenchTemplates {
    static let all: [String: String] = [
        "confirm-address.fr.txt": """
        Subject: Confirmez votre nouvelle adresse e-mail
        Bonjour,

        cette adresse doit devenir l’adresse e-mail du compte {{address}}. Pour le confirmer, ouvrez cette page et appuyez sur son bouton :

        {{link}}

        Une application peut vous demander plutôt ce code : {{code}}

        Si vous n’êtes pas à l’origine de cette demande, ne faites rien. Sans le code, rien ne change.

        {{service}}
        """,
        "confirm-address.fr.html": """
        {{<mail.html}}{{$lang}}fr{{/lang}}{{$title}}Confirmez votre nouvelle adresse e-mail{{/title}}{{$content}}
        <p>Cette adresse doit devenir l’adresse e-mail du compte <strong>{{address}}</strong>.</p>
        <p><a class="button" href="{{link}}">Confirmer l’adresse</a></p>
        <p>Une application peut vous demander plutôt ce code : <code>{{code}}</code></p>
        <p>Si vous n’êtes pas à l’origine de cette demande, ne faites rien. Sans le code, rien ne change.</p>
        {{/content}}{{/mail.html}}
        """,
        "address-changed.fr.txt": """
        Subject: L’adresse e-mail de votre compte a été changée
        Bonjour,

        le compte {{address}} a une nouvelle adresse e-mail. Désormais, plus rien à son sujet n’est envoyé à celle-ci.

        Si ni vous ni l’exploitant du service n’êtes à l’origine de ce changement, quelqu’un d’autre peut utiliser votre compte : changez son mot de passe et prévenez l’exploitant.

        {{service}}
        """,
        "address-changed.fr.html": """
        {{<mail.html}}{{$lang}}fr{{/lang}}{{$title}}L’adresse e-mail de votre compte a été changée{{/title}}{{$content}}
        <p>Le compte <strong>{{address}}</strong> a une nouvelle adresse e-mail. Désormais, plus rien à son sujet n’est envoyé à celle-ci.</p>
        <p>Si ni vous ni l’exploitant du service n’êtes à l’origine de ce changement, quelqu’un d’autre peut utiliser votre compte : changez son mot de passe et prévenez l’exploitant.</p>
        {{/content}}{{/mail.html}}
        """,
        "activation.fr.txt": """
        Subject: Activez votre compte
        Bonjour,

        le compte {{address}} a été créé avec cette adresse e-mail. Pour l’activer, ouvrez cette page et appuyez sur son bouton :

        {{link}}

        Une application peut vous demander plutôt ce code : {{code}}

        Si vous n’êtes pas à l’origine de cette demande, ne faites rien. Le compte reste inactif.

        {{service}}
        """,
        "activation.fr.html": """
        {{<mail.html}}{{$lang}}fr{{/lang}}{{$title}}Activez votre compte{{/title}}{{$content}}
        <p>Le compte <strong>{{address}}</strong> a été créé avec cette adresse e-mail.</p>
        <p><a class="button" href="{{link}}">Activer le compte</a></p>
        <p>Une application peut vous demander plutôt ce code : <code>{{code}}</code></p>
        <p>Si vous n’êtes pas à l’origine de cette demande, ne faites rien. Le compte reste inactif.</p>
        {{/content}}{{/mail.html}}
        """,
        "registration-confirmed.fr.txt": """
        Subject: Votre compte est actif
        Bonjour,

        votre compte est actif. Voici ce que demande un client SIP :

        Adresse SIP : {{address}}
        Nom d’utilisateur : {{username}}
        Domaine : {{domain}}
        {{#proxy}}
        Proxy : {{proxy}}
        {{/proxy}}
        {{#transport}}
        Transport : {{transport}}
        {{/transport}}

        {{service}}
        """,
        "registration-confirmed.fr.html": """
        {{<mail.html}}{{$lang}}fr{{/lang}}{{$title}}Votre compte est actif{{/title}}{{$content}}
        <p>Voici ce que demande un client SIP :</p>
        <table>
        <tr><th scope="row">Adresse SIP</th><td>{{address}}</td></tr>
        <tr><th scope="row">Nom d’utilisateur</th><td>{{username}}</td></tr>
        <tr><th scope="row">Domaine</th><td>{{domain}}</td></tr>
        {{#proxy}}<tr><th scope="row">Proxy</th><td>{{proxy}}</td></tr>{{/proxy}}
        {{#transport}}<tr><th scope="row">Transport</th><td>{{transport}}</td></tr>{{/transport}}
        </table>
        {{/content}}{{/mail.html}}
        """,
        // Every letter of it is in the alphabet of short messages, so it is one message.
        "pin.fr.txt": """
        {{code}} est votre code {{service}}, valable 10 minutes. Ne le donnez à personne.
        """,

        "ask-confirmation.fr.html": """
        {{<page.html}}{{$lang}}fr{{/lang}}{{$title}}Confirmez votre adresse e-mail{{/title}}{{$content}}
        <p>Appuyez sur le bouton, et cette adresse sera celle du compte <strong>{{address}}</strong>.</p>
        <form method="post"><button type="submit">Confirmer l’adresse</button></form>
        {{/content}}{{/page.html}}
        """,
        "ask-activation.fr.html": """
        {{<page.html}}{{$lang}}fr{{/lang}}{{$title}}Activez votre compte{{/title}}{{$content}}
        <p>Appuyez sur le bouton, et le compte <strong>{{address}}</strong> sera actif.</p>
        <form method="post"><button type="submit">Activer le compte</button></form>
        {{/content}}{{/page.html}}
        """,
        "address-confirmed.fr.html": """
        {{<page.html}}{{$lang}}fr{{/lang}}{{$title}}Votre adresse e-mail est confirmée{{/title}}{{$content}}
        <p>Le compte <strong>{{address}}</strong> a sa nouvelle adresse e-mail. Vous pouvez fermer cette page.</p>
        {{/content}}{{/page.html}}
        """,
        "account-activated.fr.html": """
        {{<page.html}}{{$lang}}fr{{/lang}}{{$title}}Votre compte est actif{{/title}}{{$content}}
        <p>Le compte <strong>{{address}}</strong> est prêt. Vous pouvez fermer cette page et vous connecter dans votre application.</p>
        {{/content}}{{/page.html}}
        """,
        "unknown-code.fr.html": """
        {{<page.html}}{{$lang}}fr{{/lang}}{{$title}}Ce lien ne fonctionne pas{{/title}}{{$content}}
        <p>Il a déjà servi, il a expiré, ou il n’a pas été copié en entier. S’il vous le faut encore, demandez-en un autre dans votre application.</p>
        {{/content}}{{/page.html}}
        """,
        "unavailable.fr.html": """
        {{<page.html}}{{$lang}}fr{{/lang}}{{$title}}Indisponible{{/title}}{{$content}}
        <p>Le service ne répond pas pour le moment. Le lien reste valable : réessayez dans quelques minutes.</p>
        {{/content}}{{/page.html}}
        """,
    ]
}
