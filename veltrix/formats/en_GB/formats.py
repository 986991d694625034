"""How the desk writes moments where no template says how: as its own pages do, by the 24-hour clock."""

DATETIME_FORMAT = "j M Y, H:i"
SHORT_DATETIME_FORMAT = "j M Y, H:i"
TIME_FORMAT = "H:i"
