#!/usr/bin/env python3
"""A receiver for an issuer of the kind `webhook`, with nothing but Python's own library.

It keeps its grants in a file. Put your own target into `do`, and a server with TLS before it.
    JITBOT_WEBHOOK_SECRET=whsec_… receiver.py PORT FILE
docs/ISSUERS.md walks through it.
"""
import base64, hashlib, hmac, json, os, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRETS = [base64.b64decode(text.removeprefix("whsec_"))
           for text in os.environ["JITBOT_WEBHOOK_SECRET"].split()]
FILE = sys.argv[2]
TURN = threading.Lock()  # one change at a time
SEEN = set()  # (id, timestamp) of the calls of the last minutes: jitbot sends none of them twice
BODY_MAX = 65536


def is_ours(headers, body):
    """Whether one of the signatures is right, and the call is not an old one."""
    ident, when = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "0")
    if not (when.isascii() and when.isdigit()) or abs(time.time() - int(when)) > 300:
        return False
    signed = b".".join([ident.encode(), when.encode(), body])
    right = ["v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
             for key in SECRETS]
    given = headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(one, other) for one in given for other in right)


def is_new(headers):
    """Whether nobody sent this very call before. Held in memory: what was caught counts for five
    minutes after a start, so keep them in a file where that matters."""
    now = time.time()
    SEEN.difference_update([call for call in SEEN if now - int(call[1]) > 300])
    call = (headers["webhook-id"], headers["webhook-timestamp"])
    if call in SEEN:
        return False
    SEEN.add(call)
    return True


def do(question):
    """Makes it so, whatever was so before: the same question twice changes nothing the second time."""
    op, grant = question["op"], question.get("grant")
    grants = json.load(open(FILE)) if os.path.exists(FILE) else {}
    if op in ("issue", "extend"):
        grants[grant] = {"account": question["account"], "deadline": question["deadline_unix"]}
    elif op == "revoke":
        grants.pop(grant, None)
    elif op == "inspect":
        return {"outcome": "ok", "presence": "present" if grant in grants else "absent"}
    elif op == "list":
        return {"outcome": "ok", "items": [{"grant": g, "deadline": it["deadline"]}
                                           for g, it in sorted(grants.items())]}
    elif op != "check":
        return {"outcome": "permanent", "message": "this receiver does not know that question"}
    with open(FILE + ".new", "w") as out:
        json.dump(grants, out)
        out.flush()
        os.fsync(out.fileno())
    os.replace(FILE + ".new", FILE)
    return {"outcome": "ok"}


class Receiver(BaseHTTPRequestHandler):
    timeout = 30  # seconds for who says less than was announced

    def do_POST(self):
        length = self.headers.get("content-length", "")
        if not (length.isascii() and length.isdigit() and int(length) <= BODY_MAX):
            return self.answer(400, {"outcome": "unknown", "message": "the length is not right"})
        body = self.rfile.read(int(length))
        if not is_ours(self.headers, body):
            return self.answer(401, {"outcome": "unknown", "message": "the signature is not right"})
        with TURN:
            if not is_new(self.headers):
                return self.answer(401, {"outcome": "unknown", "message": "this call was here before"})
            self.answer(200, do(json.loads(body)))

    def answer(self, status, said):
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver)
    print(server.server_port, flush=True)
    server.serve_forever()
