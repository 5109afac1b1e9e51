# One image for the console, the workers and every command: `docker build -t truyvet .`
# Non-root, and its root may be read-only: only /tmp and /var/lib/truyvet are written to.
FROM python:3.11.7-slim-bookworm AS build
WORKDIR /source
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/truyvet
ENV PATH=/opt/truyvet/bin:$PATH
# what it stands on first: a change of our own code leaves this layer as it is
COPY pyproject.toml constraints.txt ./
COPY deploy/docker/dependencies.py deploy/docker/
RUN python deploy/docker/dependencies.py postgres tracing > /tmp/wanted.txt \
    && pip install --constraint constraints.txt --requirement /tmp/wanted.txt setuptools==80.9.0
COPY README.md LICENSE ./
COPY schemas schemas
COPY issuer issuer
COPY tracer tracer
COPY streams streams
COPY console console
COPY deploy deploy
COPY sim sim
COPY bench bench
RUN pip install --no-deps --no-build-isolation --constraint constraints.txt . \
    && pip uninstall --yes setuptools pip

FROM python:3.11.7-slim-bookworm
LABEL org.opencontainers.image.title=truyvet org.opencontainers.image.licenses=Apache-2.0
RUN groupadd --gid 10001 truyvet \
    && useradd --uid 10001 --gid 10001 --home-dir /var/lib/truyvet --shell /usr/sbin/nologin truyvet \
    && install --directory --owner truyvet --group truyvet --mode 0750 /var/lib/truyvet
COPY --from=build /opt/truyvet /opt/truyvet
ENV PATH=/opt/truyvet/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    NUMBA_CACHE_DIR=/var/lib/truyvet/compiled \
    TRUYVET_DATA_DIR=/var/lib/truyvet TRUYVET_CONSOLE_HOST=0.0.0.0 TRUYVET_METRICS_HOST=0.0.0.0
USER 10001:10001
WORKDIR /var/lib/truyvet
EXPOSE 8080 9100
# of the console; a worker's is on 9100
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/live', timeout=4)"]
ENTRYPOINT ["truyvet"]
CMD ["serve"]
