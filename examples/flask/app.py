import os

from flask import Flask

app = Flask(__name__)


@app.route("/")
def hello():
    return "Hello World from Kubernetes!\n"


@app.route("/healthz")
def healthz():
    return "ok\n"


@app.route("/pod")
def pod():
    """Which pod answered: shows that the service spreads requests."""
    return os.environ.get("POD_NAME", "unknown") + "\n"


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=int(os.environ.get("PORT", "5000")))
