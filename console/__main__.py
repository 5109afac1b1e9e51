"""`python -m console` is `truyvet`."""

from console.cli.main import run

if __name__ == "__main__":
    run()
