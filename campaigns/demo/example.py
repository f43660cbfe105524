"""Makes the example table of contacts: 1,200 invented people at domains that belong to nobody.

`python -m campaigns.demo.example > campaigns/demo/example.csv`. The same on every run.
"""

import csv
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

PATH = Path(__file__).with_name("example.csv")
PEOPLE = 1_200

HEADER = ["Email", "First name", "Last name", "City", "Member no.", "Member since", "Course"]

_SCRIPTS = (
    (
        "Ana Ben Clara David Elif Farid Grace Hugo Ines Jonas Kaya Lena Milan Nora Oscar Paula "
        "Quentin Rosa Samir Tilda Umar Vera Wanda Yusuf Zoë José Jürgen Åsa Łucja Jiří",
        "Almeida Baker Castillo Dubois Evans Fischer García Hansen Ivanova Jensen Kowalski Larsen "
        "Müller Novák Okafor Petersen Quinn Rossi Svensson Tanaka Öztürk Varga Weiß Yılmaz Zając",
        "Lisbon Köln Kraków Malmö Zürich Leeds Gent Bologna Brno İzmir",
    ),
    (
        "Анна Борис Вера Глеб Дарья Егор Зоя Иван Мария Олег",
        "Белова Волкова Громова Зайцева Козлова Лебедева Морозова Орлова Соколова Фомина",
        "Одеса Варна Скопје Минск Сочи",
    ),
    (
        "Αλέξης Βασιλική Γιώργος Δήμητρα Ελένη Κώστας Μαρία Νίκος Σοφία",
        "Αγγελίδης Βλάχος Δήμου Καραγιάννης Νικολάου Οικονόμου Παππάς Σταύρου",
        "Αθήνα Πάτρα Βόλος Χανιά",
    ),
    ("さくら 太郎 花子 健 美咲 陽子", "佐藤 鈴木 高橋 田中 渡辺 伊藤", "東京 大阪 札幌 福岡"),
    ("דוד נועה יעל אורי תמר", "כהן לוי מזרחי פרץ ביטון", "חיפה אילת עכו"),
    ("أحمد فاطمة ليلى عمر مريم", "حسن علي سالم ناصر خليل", "القاهرة تونس عمّان"),
)
_WEIGHTS = (70, 10, 8, 6, 3, 3)
_DOMAINS = ("example.org", "example.com", "example.net", "mail.example.org", "club.example.com")
_COURSES = ("Watercolour", "Bread, baked slowly", 'Drawing "from life"', "Choir", "")


def people() -> Iterator[list[str]]:
    """The rows of the table, in its order."""
    chance = random.Random(1_200)  # noqa: S311
    for number in range(1, PEOPLE + 1):
        firsts, lasts, cities = (
            words.split() for words in chance.choices(_SCRIPTS, weights=_WEIGHTS)[0]
        )
        yield [
            f"member{number:04}@{chance.choice(_DOMAINS)}",
            chance.choice(firsts),
            chance.choice(lasts),
            chance.choice(cities),
            f"M-{chance.randrange(10_000):04}",
            f"{chance.randrange(2009, 2026)}-{chance.randrange(1, 13):02}-01",
            chance.choice(_COURSES),
        ]


def write(out: TextIO) -> None:
    table = csv.writer(out, lineterminator="\n")
    table.writerow(HEADER)
    table.writerows(people())


if __name__ == "__main__":
    write(sys.stdout)
