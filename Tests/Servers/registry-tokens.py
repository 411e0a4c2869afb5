#!/usr/bin/env python3
"""Gives tokens for a docker-registry, as https://distribution.github.io/distribution/spec/auth/token/ has it.

registry-tokens.py DIRECTORY PORT LIFETIME FIELD

In DIRECTORY are key.pem and cert.pem; each grant becomes a line of `granted`. A token is good for LIFETIME seconds, give or take one,
and stands in the answer's FIELD. Who comes without a login may read; the user `lab` may do what is asked for, but read nothing
under `closed/` that is not asked for to be written as well; the user `reader` may read.
"""
import base64, http.server, json, os, subprocess, sys, time, urllib.parse

directory, port, lifetime, field = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
passwords = {"lab": "secret:with colon", "reader": "secret"}
refresh = {"refresh-lab": "lab"}
# The registry forgives clocks that differ by so much.
leeway = 60


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(user, access):
    certificate = open(f"{directory}/cert.pem").read().split("-----")[2]
    header = {"typ": "JWT", "alg": "RS256", "x5c": ["".join(certificate.split())]}
    now = int(time.time())
    claims = {
        "iss": "tokens", "sub": user, "aud": "registry", "iat": now, "nbf": now - leeway, "exp": now + lifetime - leeway,
        "jti": os.urandom(8).hex(), "access": access,
    }
    text = ".".join(encoded(json.dumps(part).encode()) for part in (header, claims))
    signature = subprocess.run(
        ["openssl", "dgst", "-sha256", "-sign", f"{directory}/key.pem"], input=text.encode(), capture_output=True, check=True)
    return f"{text}.{encoded(signature.stdout)}"


def allowed(user, scopes):
    access = []
    for scope in scopes:
        kind, name, actions = scope.split(":")
        actions = actions.split(",")
        if user != "lab":
            actions = [action for action in actions if action == "pull"]
        elif name.startswith("closed/") and actions == ["pull"]:
            actions = []
        access.append({"type": kind, "name": name, "actions": actions})
    return access


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self):
        self.answer(401, {"errors": [{"code": "UNAUTHORIZED", "message": "incorrect username or password"}]})

    def grant(self, user, scopes):
        with open(f"{directory}/granted", "a") as file:
            file.write(f"{user or 'anonymous'} {' '.join(scopes)}\n")
        self.answer(200, {field: token(user, allowed(user, scopes)), "expires_in": lifetime})

    def do_GET(self):
        fields = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
        user = ""
        if header := self.headers.get("Authorization"):
            user, _, password = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
            if passwords.get(user) != password:
                return self.refuse()
        self.grant(user, fields.get("scope", []))

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        user = refresh.get(form.get("refresh_token", [""])[0])
        if form.get("grant_type") != ["refresh_token"] or form.get("service") != ["registry"] or not user:
            return self.refuse()
        self.grant(user, form.get("scope", [""])[0].split())

    def log_message(self, *arguments):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
