"""The rows of the table of `truyvet bench ingest`: what each does, and what it leaves out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from bench.clients import CLIENTS
from schemas.errors import UserError

Share = Literal["stock", "peer", "all"]
PEERS: Final = ("quixstreams", "bytewax", "pathway")
STOCK: Final = "stock_faust"
NAIVE: Final = "aiokafka_pydantic"
TRUYVET: Final = "truyvet"


@dataclass(frozen=True)
class Row:
    """One competitor. `share`: how much of the topic it reads; `leaves_out` in both languages."""

    name: str
    vi: str
    en: str
    share: Share
    leaves_out_vi: str
    leaves_out_en: str
    peer: str = ""
    work: str = ""
    client: str = ""
    workers: int = 1


_NO_TABLE: Final = (
    "không tra mã điểm quét, không ghi ClickHouse, không dead letter, không theo dõi ca bệnh",
    "codes are not resolved, nothing is written to ClickHouse, no dead letters, no open cases",
)


def _peer(peer: str, work: str) -> Row:
    validate = work == "validate"
    return Row(
        f"{peer}_{work}",
        f"{peer}: đọc, phân tích, kiểm tra" + ("" if validate else ", khử trùng"),
        f"{peer}: read, parse, validate" + ("" if validate else ", duplicates removed"),
        "peer",
        ("không khử trùng, " if validate else "trạng thái không sao lưu, ") + _NO_TABLE[0],
        ("duplicates stay, " if validate else "its state is not backed up, ") + _NO_TABLE[1],
        peer=peer,
        work=work,
    )


def _pipe(client: str) -> Row:
    return Row(
        f"pipe_{client}",
        f"đường ống ngắn nhất, {client}",
        f"shortest pipe, {client}",
        "all",
        "không kiểm tra gì, không tra mã, không khử trùng, không giữ offset, không đọc lại",
        "no checks, codes not resolved, duplicates stay, no offsets, nothing read back",
        client=client,
    )


def _truyvet(workers: int) -> Row:
    many = workers > 1
    return Row(
        f"{TRUYVET}_{workers}" if many else TRUYVET,
        "truyvet, đầy đủ" + (f", {workers} tiến trình" if many else ""),
        "truyvet, everything on" + (f", {workers} workers" if many else ""),
        "all",
        "không bỏ gì",
        "nothing",
        workers=workers,
    )


def catalogue(peers: Sequence[str], workers: Sequence[int], bare: bool = False) -> list[Row]:
    """The rows to run. `bare`: truyvet and stock Faust only, and the pipe by librdkafka."""
    rows = [
        Row(
            STOCK,
            "Faust nguyên bản, JSON, chỉ đếm",
            "stock Faust agent, JSON, counting only",
            "stock",
            "mọi thứ, trừ đọc JSON và đếm",
            "everything but decoding JSON and counting",
        )
    ]
    if not bare:
        rows.append(
            Row(
                NAIVE,
                "aiokafka + pydantic + ghi từng hàng",
                "aiokafka + JSON + pydantic + insert of rows",
                "peer",
                "không tra mã, không khử trùng, không giữ offset, không đọc lại",
                "codes not resolved, duplicates stay, no offsets, nothing read back",
            )
        )
    rows += [_peer(peer, work) for peer in peers for work in ("validate", "dedupe")]
    rows += [_pipe(client) for client in (CLIENTS[-1:] if bare else CLIENTS)]
    rows += [_truyvet(count) for count in sorted({1, *workers})]
    return rows


def turned(rows: Sequence[Row], round_number: int) -> list[Row]:
    """The order of a round: each begins further on, so that no row is always the first."""
    at = (round_number * max(1, len(rows) // 3)) % len(rows)
    return [*rows[at:], *rows[:at]]


def named_peers(text: str) -> tuple[str, ...]:
    """`all`, `none`, or names with commas between. Raises UserError."""
    if text == "all":
        return PEERS
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if names == ("none",):
        return ()
    if unknown := [name for name in names if name not in PEERS]:
        raise UserError(
            f"Không có {', '.join(unknown)}; có {', '.join(PEERS)}. / "
            f"No such peer: {', '.join(unknown)}; there are {', '.join(PEERS)}."
        )
    return names


def worker_counts(text: str) -> tuple[int, ...]:
    """`1,2` as numbers. Raises UserError."""
    try:
        counts = tuple(int(part) for part in text.split(","))
    except ValueError:
        counts = ()
    if not counts or not all(1 <= count <= 8 for count in counts):
        raise UserError(
            "--workers là các số từ 1 đến 8, cách nhau bằng dấu phẩy, như 1,2. / "
            "--workers takes numbers from 1 to 8 with commas between, as in 1,2."
        )
    return counts
