# One image for every role: kiosk serve (the default), kiosk web, relay, archive, deliver, and the administration commands.
#   docker build -t kiosk .
#   docker run --read-only --tmpfs /tmp -v kiosk-data:/data -p 8000:8000 -e KIOSK_PUBLIC_URL=https://opd.example.in kiosk
# For a build that repeats, name the base image by its digest (deploy/README.md, "Images by digest"):
#   docker build --build-arg PYTHON_IMAGE=python:3.13-slim-bookworm@sha256:... -t kiosk .
ARG PYTHON_IMAGE=python:3.13-slim-bookworm
FROM ${PYTHON_IMAGE} AS built
WORKDIR /src
RUN python -m venv /opt/kiosk
COPY requirements/run.txt requirements/run.txt
# Every file is checked against its hash; nothing is compiled here. run.txt is whole: nothing is added to it (--no-deps).
RUN /opt/kiosk/bin/pip install --no-cache-dir --no-deps --require-hashes --only-binary :all: -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY tokens tokens
COPY queueing queueing
COPY kiosk kiosk
RUN /opt/kiosk/bin/pip install --no-cache-dir --no-deps --no-build-isolation --no-index . \
    && /opt/kiosk/bin/pip uninstall --yes pip setuptools \
    && /opt/kiosk/bin/python -m compileall -q /opt/kiosk

FROM ${PYTHON_IMAGE}
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin kiosk \
    && install -d -m 0700 -o kiosk -g kiosk /data
COPY --from=built /opt/kiosk /opt/kiosk
ENV PATH=/opt/kiosk/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    KIOSK_DATA_DIR=/data \
    KIOSK_HOST=0.0.0.0
USER kiosk
WORKDIR /data
VOLUME /data
EXPOSE 8000
# A stop takes 20 seconds at most: docker stop --time 25.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ.get('KIOSK_PORT', '8000') + '/readyz', timeout=4)"]
ENTRYPOINT ["kiosk"]
CMD ["serve"]
