"""A schema registry for tests: the paths and the JSON of Confluent's, over loopback."""

import base64
import collections
import http.server
import json
import ssl
import threading


class Registry:
    """Holds schemas by id. What was asked for is counted; `status` answers all that, if it is set."""

    def __init__(self, user_info="", certificate=None):
        self.schemas, self.subjects = {}, {}
        self.asked = collections.Counter()
        self.status = None
        self.user_info = user_info
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                registry.asked[self.path] += 1
                status, answer = registry.answer(self.path, self.headers.get("Authorization", ""))
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words):
                pass

        self.handler, self.certificate, self.port = Handler, certificate, 0
        self.start()

    def start(self):
        """At the port that it had before."""
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), self.handler)
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def url(self, user_info="", host="127.0.0.1", path=""):
        return f"http{'s' * bool(self.certificate)}://{user_info and user_info + '@'}{host}:{self.port}{path}"

    def add(self, number, schema, kind="AVRO", references=(), subject=None):
        """references: (name, subject, version). A subject has one version, 1."""
        told = {"schema": schema}
        if kind != "AVRO":  # as the registry answers
            told["schemaType"] = kind
        if references:
            told["references"] = [dict(zip(("name", "subject", "version"), one)) for one in references]
        self.schemas[number] = told
        if subject:
            self.subjects[subject] = {"subject": subject, "version": 1, "id": number, **told}

    def answer(self, path, authorization):
        if self.status:
            return self.status, {"error_code": 50001, "message": "Error in the backend data store"}
        if self.user_info and authorization != "Basic " + base64.b64encode(self.user_info.encode()).decode():
            return 401, {"error_code": 401, "message": "Unauthorized"}
        parts = path.strip("/").split("/")
        if parts[:2] == ["schemas", "ids"]:
            found = self.schemas.get(int(parts[2]))
            return (200, found) if found else (404, {"error_code": 40403, "message": f"Schema {parts[2]} not found"})
        if parts[0] == "subjects" and parts[2:] == ["versions", "1"]:
            found = self.subjects.get(parts[1].replace("%2F", "/"))
            return (200, found) if found else (404, {"error_code": 40401, "message": f"Subject '{parts[1]}' not found."})
        return 404, {"error_code": 404, "message": "HTTP 404 Not Found"}
