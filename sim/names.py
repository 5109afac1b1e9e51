"""Names as they look in Hải Phòng: invented, drawn from the seed, unique within a ward."""

from collections.abc import Sequence
from typing import Final

import numpy as np

FAMILIES: Final = (
    "Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Vũ", "Đặng", "Bùi", "Đỗ", "Ngô", "Dương", "Đào",
)  # fmt: skip
GIVEN: Final = (
    "An", "Bình", "Châu", "Dung", "Hà", "Hải", "Hằng", "Hạnh", "Hiền", "Hòa", "Hồng", "Hương",
    "Khánh", "Lan", "Linh", "Loan", "Mai", "Minh", "Nga", "Ngọc", "Nhung", "Phương", "Quỳnh",
    "Thảo", "Thu", "Thủy", "Trang", "Tuấn", "Tùng", "Vân", "Việt", "Yến",
)  # fmt: skip
BRANDS: Final = (
    "An Phát", "Bạch Đằng", "Bình Minh", "Cát Tường", "Đại Dương", "Đông Á", "Hải Long", "Hải Nam",
    "Hoa Phượng", "Hoàng Gia", "Hồng Hà", "Hùng Vương", "Kim Liên", "Minh Châu", "Nam Triệu",
    "Ngọc Hải", "Phú Hưng", "Phương Đông", "Sao Biển", "Sông Cấm", "Tân Tiến", "Thành Công",
    "Thái Bình Dương", "Thiên Phú", "Trường An", "Việt Hải", "Việt Tiến", "Vạn Xuân",
)  # fmt: skip
HEROES: Final = (
    "Chu Văn An", "Đinh Tiên Hoàng", "Hai Bà Trưng", "Hồng Bàng", "Kim Đồng", "Lê Hồng Phong",
    "Lê Lợi", "Lê Quý Đôn", "Lý Thường Kiệt", "Ngô Quyền", "Nguyễn Bỉnh Khiêm", "Nguyễn Du",
    "Nguyễn Trãi", "Phan Bội Châu", "Phan Chu Trinh", "Quang Trung", "Trần Hưng Đạo",
    "Trần Nguyên Hãn", "Trần Phú", "Võ Thị Sáu",
)  # fmt: skip
STREETS: Final = (
    "Bạch Đằng", "Cát Bi", "Cầu Đất", "Điện Biên Phủ", "Đà Nẵng", "Hai Bà Trưng", "Hàng Kênh",
    "Hùng Vương", "Lạch Tray", "Lê Hồng Phong", "Lê Lợi", "Lương Khánh Thiện", "Minh Khai",
    "Ngô Gia Tự", "Nguyễn Đức Cảnh", "Nguyễn Văn Linh", "Phan Đăng Lưu", "Quang Trung", "Tô Hiệu",
    "Trần Nguyên Hãn", "Trần Phú", "Trường Chinh",
)  # fmt: skip
SECTIONS: Final = (
    "Văn phòng", "Kế toán", "Tổ chức – Hành chính", "Kế hoạch", "Kỹ thuật", "Kinh doanh",
    "Một cửa", "Pháp chế", "Thanh tra", "Công nghệ thông tin",
)  # fmt: skip
OFFICES: Final = (
    "Ủy ban nhân dân", "Công an", "Trạm Thuế", "Kho bạc", "Bảo hiểm xã hội", "Phòng Giao dịch",
    "Điện lực", "Bưu điện", "Văn phòng Công chứng", "Trung tâm Văn hóa",
)  # fmt: skip
DEPARTMENTS: Final = (
    "Khoa Khám bệnh", "Khoa Cấp cứu", "Khoa Nội tổng hợp", "Khoa Ngoại", "Khoa Nhi", "Khoa Sản",
    "Khoa Truyền nhiễm", "Khoa Xét nghiệm", "Khoa Chẩn đoán hình ảnh", "Khoa Mắt",
)  # fmt: skip
PRODUCTS: Final = (
    "May", "Giày da", "Cơ khí", "Nhựa", "Thủy sản", "Điện tử", "Bao bì", "Thép", "Dệt", "Gỗ",
)  # fmt: skip
STALLS: Final = (
    "Dãy rau củ", "Dãy thịt", "Dãy hải sản", "Dãy hàng khô", "Dãy quần áo", "Dãy đồ gia dụng",
    "Dãy hoa quả", "Dãy ăn uống",
)  # fmt: skip


def pick(rng: np.random.Generator, names: Sequence[str]) -> str:
    """One of the names."""
    return names[int(rng.integers(0, len(names)))]


def owner(rng: np.random.Generator) -> str:
    """`Lan`, `Minh Hằng`: as small shops are called after their owners."""
    first, second = pick(rng, GIVEN), pick(rng, GIVEN)
    return first if first == second or rng.random() < 0.3 else f"{first} {second}"


def address(rng: np.random.Generator) -> str:
    """`Số 12 Lạch Tray`."""
    return f"Số {int(rng.integers(1, 400))} {pick(rng, STREETS)}"


def vehicle_plate(number: int) -> str:
    """`15B-012.34`: Hải Phòng's 15, B for passenger vehicles, five digits."""
    digits = f"{number:05d}"
    return f"15B-{digits[:3]}.{digits[3:]}"


class Taken:
    """Names given out by ward; a name asked for twice gets a number."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], int] = {}

    def unique(self, ward: str, name: str) -> str:
        """The name, or the name with the next number."""
        count = self._counts.get((ward, name), 0) + 1
        self._counts[(ward, name)] = count
        return name if count == 1 else f"{name} {count}"
