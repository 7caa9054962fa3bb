"""Words: invented brands, product names, slogans, adjectives, in English and Chinese."""

from __future__ import annotations

BRANDS_FASHION = (
    ("NORVANE", "诺梵"),
    ("Kestrel & Pine", "隼松"),
    ("LUMORA", "光序"),
    ("Tideform", "潮型"),
    ("MAREN STUDIO", "陌然"),
    ("Halden", "海登"),
    ("Osprey Lane", "鹗巷"),
    ("FIELDNOTE", "田记"),
    ("Veloria", "薇洛"),
    ("Northloom", "北织"),
    ("ARKELL", "雅珂"),
    ("Birch & Bay", "桦湾"),
)
BRANDS_FOOD = (
    ("Morning Acre", "晨野"),
    ("GREENHOLLOW", "青谷"),
    ("Suncrate", "阳箱"),
    ("Hearth & Mill", "禾悦"),
    ("Blue Heron", "蓝鹭"),
    ("Old Quay", "老埠头"),
    ("FRESCO VALE", "鲜溪"),
    ("Cloudberry", "云莓"),
    ("Maple Row", "枫巷"),
    ("Shanlan", "山岚"),
    ("Tastewell", "味真"),
    ("Little Silo", "小粮仓"),
)
BRANDS_HOME = (
    ("Havn", "栖宅"),
    ("OAKLINE", "橡线"),
    ("Clay & Kiln", "陶窑"),
    ("Nest Theory", "云栖"),
    ("Lindgard", "林格"),
    ("MODUS HOME", "模居"),
    ("Stillwater", "静水"),
    ("Terra Nova", "新土"),
)
BRANDS_BEAUTY = (
    ("AURELLE", "欧芮"),
    ("Petal Lab", "花研社"),
    ("Dewdrop", "露水"),
    ("SOLENE", "索兰"),
    ("Botanica No.7", "草本七号"),
    ("Moonmilk", "月乳"),
)
BRANDS_TECH = (("VANTO", "凡图"), ("Pixelbay", "像湾"), ("ORBIN", "欧宾"), ("Quarz Audio", "石英声学"))

SLOGANS = (
    "WEEKEND/CLUB",
    "STAY/WILD",
    "OCEAN/DRIVE",
    "HELLO/SUMMER",
    "GOOD DAYS/AHEAD",
    "RUN/FURTHER",
    "NO/PLAN B",
    "BE KIND",
    "山海/之间",
    "自在",
    "好好/生活",
    "慢一点",
    "向阳/而生",
    "今天也/要加油",
    "1998",
    "SLOW/LIVING",
)

PRAISE_EN = ("Comfortable", "Everyday", "Classic", "Lightweight", "Premium", "Relaxed", "Modern", "Soft", "New season")
PRAISE_ZH = ("舒适", "百搭", "经典", "轻薄", "高级感", "宽松", "新款", "简约", "日常")

CLOSINGS_EN = ("Made to last.", "Made for every day.", "A gift that gets used.", "Simple and well made.")
CLOSINGS_ZH = ("适合日常使用", "送礼自用皆宜", "细节讲究", "做工扎实")

PATTERN_WORDS = {
    "solid": ("solid", "纯色"),
    "striped": ("striped", "条纹"),
    "checked": ("checked", "格纹"),
    "dotted": ("polka dot", "波点"),
    "printed": ("printed", "印花"),
    "textured": ("textured", "肌理"),
}
"""What shops write for a pattern, English and Chinese."""
