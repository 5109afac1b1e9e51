"""Why a scan is refused: a closed list, with a sentence in both languages.

To add one: a member here, the check that yields it in `streams/`, its row in
`docs/rejects.md` (a test compares both) and its golden JSON Schema.
"""

from enum import StrEnum


class Reason(StrEnum):
    """Stored in `rejects`, in the DLQ header `reason` and in metrics' label `reason`."""

    NOT_JSON = "not_json"
    WRONG_SCHEMA = "wrong_schema"
    TOO_LARGE = "too_large"
    MALFORMED_ID = "malformed_id"
    UNKNOWN_CODE = "unknown_code"
    CODE_NOT_YET_VALID = "code_not_yet_valid"
    EXPIRED_CODE = "expired_code"
    REVOKED_CODE = "revoked_code"
    IN_FUTURE = "in_future"
    TOO_OLD = "too_old"
    PRODUCER_NOT_ALLOWED = "producer_not_allowed"
    ID_REUSED = "id_reused"


SENTENCES: dict[Reason, tuple[str, str]] = {
    Reason.NOT_JSON: ("Bản ghi không phải JSON hợp lệ.", "The record is not valid JSON."),
    Reason.WRONG_SCHEMA: (
        "Bản ghi không đúng lược đồ lượt quét.",
        "The record does not follow the schema of a scan.",
    ),
    Reason.TOO_LARGE: ("Lượt quét lớn hơn 4 KiB.", "The scan is larger than 4 KiB."),
    Reason.MALFORMED_ID: (
        "Mã người hoặc mã sự kiện viết sai dạng.",
        "The person or the event id is not in its canonical form.",
    ),
    Reason.UNKNOWN_CODE: (
        "Mã QR địa điểm không tồn tại hoặc bị giả mạo.",
        "The location code does not exist or is forged.",
    ),
    Reason.CODE_NOT_YET_VALID: (
        "Mã QR địa điểm chưa có hiệu lực vào lúc quét.",
        "The location code was not yet valid when scanned.",
    ),
    Reason.EXPIRED_CODE: (
        "Mã QR địa điểm đã hết hiệu lực vào lúc quét.",
        "The location code had expired when scanned.",
    ),
    Reason.REVOKED_CODE: (
        "Mã QR địa điểm đã bị thu hồi.",
        "The location code has been revoked.",
    ),
    Reason.IN_FUTURE: (
        "Giờ quét ở tương lai quá hai phút.",
        "The time of the scan is more than two minutes in the future.",
    ),
    Reason.TOO_OLD: (
        "Giờ quét cũ hơn thời hạn lưu giữ.",
        "The time of the scan is older than the retention period.",
    ),
    Reason.PRODUCER_NOT_ALLOWED: (
        "Nguồn gửi không được phép với điểm quét hoặc cách quét này.",
        "The producer may not report this place or method.",
    ),
    Reason.ID_REUSED: (
        "Mã sự kiện đã dùng cho một lượt quét có nội dung khác.",
        "The event id was already used for a scan with other content.",
    ),
}
