"""The words of inspections on paper and on screen, Vietnamese and English."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from console.inspections.ahead import Turn
from console.inspections.life import Aside
from console.inspections.visits import Reason
from schemas.inspections import (
    Agency,
    Authority,
    Ending,
    Ground,
    Kind,
    Mend,
    Outcome,
    Result,
    Says,
    Stage,
    TeamRole,
)

Pair = tuple[str, str]

# By class: members of two of them can be the same text, and are then one key.
_WORDS: Final[Mapping[type[StrEnum], Mapping[StrEnum, Pair]]] = {
    Kind: {
        Kind.OPENED: ("mở đợt kiểm tra", "opening"),
        Kind.CHECKED: ("kiểm tra tại chỗ", "check at the place"),
        Kind.ORDERED: ("yêu cầu khắc phục", "order to mend"),
        Kind.REPLIED: ("cơ sở trả lời", "owner's reply"),
        Kind.REFERRED: ("chuyển người có thẩm quyền", "referral"),
        Kind.DECIDED: ("người có thẩm quyền quyết định", "decision"),
        Kind.CLOSED: ("kết thúc", "closing"),
    },
    Stage: {
        Stage.PLANNED: ("chờ kiểm tra", "planned"),
        Stage.CHECKED: ("đã kiểm tra", "checked"),
        Stage.ORDERED: ("chờ khắc phục", "to be mended"),
        Stage.REPLIED: ("cơ sở đã trả lời", "the owner has replied"),
        Stage.REFERRED: ("chờ người có thẩm quyền", "with who decides"),
        Stage.DECIDED: ("đã có quyết định", "decided"),
        Stage.CLOSED: ("đã kết thúc", "closed"),
    },
    Ground: {
        Ground.ROUND: ("theo lượt của phường", "the ward's round"),
        Ground.REPORT: ("có phản ánh", "a report"),
        Ground.INSTRUCTION: ("theo chỉ đạo", "an instruction"),
    },
    Result: {
        Result.PASSED: ("đạt", "passed"),
        Result.DEFECTS: ("có thiếu sót", "defects"),
        Result.NOT_POSSIBLE: ("không kiểm tra được", "not possible"),
    },
    Agency: {
        Agency.COMMITTEE: ("Uỷ ban nhân dân", "People's Committee"),
        Agency.POLICE: ("Công an", "police"),
        Agency.HEALTH_STATION: ("Trạm y tế", "health station"),
        Agency.HEALTH_CENTRE: ("Trung tâm y tế", "health centre"),
        Agency.MARKET_BOARD: ("Ban quản lý chợ", "market board"),
        Agency.DEPARTMENT: ("Sở, phòng chuyên ngành", "department"),
        Agency.NEIGHBOURHOOD: ("Tổ dân phố, tổ COVID cộng đồng", "neighbourhood group"),
        Agency.SITE: ("Cơ sở được kiểm tra", "the site"),
        Agency.OTHER: ("Cơ quan khác", "other"),
    },
    TeamRole: {
        TeamRole.LEADER: ("trưởng đoàn", "leader"),
        TeamRole.MEMBER: ("thành viên", "member"),
        TeamRole.SECRETARY: ("thư ký", "secretary"),
        TeamRole.WITNESS: ("người chứng kiến", "witness"),
        TeamRole.REPRESENTATIVE: ("người đại diện", "representative"),
    },
    Mend: {
        Mend.PUT_UP: ("dán áp phích mã QR tại lối vào", "put the poster up at the entrance"),
        Mend.SHOW: (
            "đưa áp phích ra chỗ dễ thấy, dễ quét",
            "move it to where people see and reach it",
        ),
        Mend.REPLACE: (
            "thay bằng áp phích phiên bản hiện hành",
            "replace it with the current version",
        ),
        Mend.NAME_GUIDE: ("cử người hướng dẫn quét mã", "name somebody who guides people"),
        Mend.URGE: ("nhắc khách quét mã khi vào và ra", "urge people to scan in and out"),
        Mend.OTHER: ("việc khác, xem ghi chú", "other, see the note"),
    },
    Says: {
        Says.MENDED: ("đã khắc phục", "it is mended"),
        Says.ASKS_TIME: ("xin thêm thời gian", "asks for more time"),
        Says.DISPUTES: ("không đồng ý với kết quả", "disputes the result"),
        Says.COMMENTS: ("có ý kiến khác", "comments"),
    },
    Authority: {
        Authority.WARD_CHAIR: ("Chủ tịch UBND xã, phường, thị trấn", "the ward's chair"),
        Authority.DISTRICT_CHAIR: ("Chủ tịch UBND quận, huyện", "the district's chair"),
        Authority.CITY_CHAIR: ("Chủ tịch UBND tỉnh, thành phố", "the city's chair"),
        Authority.SECTOR_DEPARTMENT: ("Sở quản lý ngành", "the sector's department"),
        Authority.HEALTH_INSPECTORATE: ("Thanh tra Sở Y tế", "the health inspectorate"),
    },
    Outcome: {
        Outcome.NO_ACTION: ("không xử lý", "no action"),
        Outcome.REMINDED: ("nhắc nhở", "reminded"),
        Outcome.MORE_TIME: ("gia hạn", "more time"),
        Outcome.MEASURE: ("áp dụng biện pháp theo thẩm quyền", "a measure of theirs"),
    },
    Ending: {
        Ending.MENDED: ("đã đạt yêu cầu", "all is in order"),
        Ending.DECIDED: ("đã có quyết định", "it was decided"),
        Ending.GONE: ("cơ sở không còn hoạt động", "the site is gone"),
        Ending.MISTAKE: ("mở nhầm", "opened by mistake"),
    },
    Turn: {
        Turn.OFFICER: ("cán bộ", "the officer"),
        Turn.OWNER: ("cơ sở", "the owner"),
        Turn.AUTHORITY: ("người có thẩm quyền", "who decides"),
        Turn.NOBODY: ("không còn việc", "nobody"),
    },
    Aside: {
        Aside.CLOSED: (
            "Đợt kiểm tra đã kết thúc trước đó: hãy mở đợt mới.",
            "The inspection was closed before: begin another.",
        ),
        Aside.BEGUN: ("Đợt kiểm tra đã bắt đầu trước đó.", "The inspection had begun before."),
        Aside.NOT_CHECKED: (
            "Chưa kiểm tra lần nào trước đó: bước này được giữ, và tính khi lần kiểm tra đến.",
            "Nobody had checked before: it is kept, and counts once the check arrives.",
        ),
        Aside.NO_DEFECTS: (
            "Lần kiểm tra gần nhất trước đó không có thiếu sót.",
            "The check before it found no defects.",
        ),
        Aside.WITH_AUTHORITY: (
            "Hồ sơ đang chờ người có thẩm quyền quyết định.",
            "It is with the authority, which has not decided.",
        ),
        Aside.NOT_REFERRED: (
            "Hồ sơ chưa chuyển đến cấp này: bước này được giữ, và tính khi bước chuyển đến.",
            "It was not with this authority: it is kept, and counts once the referral arrives.",
        ),
        Aside.NOT_PASSED: (
            "Lần kiểm tra gần nhất chưa đạt.",
            "The check before it did not pass.",
        ),
        Aside.NOT_DECIDED: (
            "Chưa có quyết định của người có thẩm quyền.",
            "No authority has decided.",
        ),
    },
    Reason: {
        Reason.OVERDUE: ("quá hạn khắc phục", "past the day to mend"),
        Reason.PLANNED: ("đã lên lịch", "planned"),
        Reason.ANSWERED: (
            "đã trả lời hoặc có quyết định, chờ kiểm tra lại",
            "answered: look again",
        ),
        Reason.NEVER: ("chưa kiểm tra lần nào", "never inspected"),
        Reason.OLDEST: ("kiểm tra lần cuối", "last looked at"),
    },
}

FINDINGS: Final[Mapping[str, Pair]] = {
    "posted": ("Có dán áp phích", "Posted"),
    "visible": ("Dễ thấy, dễ quét", "Visible"),
    "current": ("Đúng mã đang dùng", "Current code"),
    "guided": ("Có người hướng dẫn", "Somebody guides"),
    "scans": ("Lượt quét 7 ngày", "Scans in 7 days"),
}
YES_NO: Final[Mapping[bool | None, Pair]] = {
    True: ("có", "yes"),
    False: ("không", "no"),
    None: ("chưa rõ", "not known"),
}


def words_of(value: StrEnum) -> Pair:
    """What this member of one of the enums above is called, in Vietnamese and English."""
    return _WORDS[type(value)][value]
