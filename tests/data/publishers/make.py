"""Writes small files in the exact form of public data sets, all of our own making: 80 users with tastes, 60 items.

python3 tests/data/publishers/make.py [FOLDER]; the same bytes every time.
"""
import bz2
import gzip
import io
import json
import lzma
import pathlib
import random
import sys
import tarfile
import zipfile

USERS, ITEMS, ROWS, DAY = 80, 60, 8, 86400
START = 1_262_304_000  # 2010-01-01
GENRES = ["Action", "Children's", "Comedy", "Drama", "Film-Noir", "Sci-Fi"]
WORDS = ["Amélie", "Nikita", "Ronin", "Alien", "Fargo", "Heat", "Léon", "Gattaca", "Brazil", "Vertigo"]


def clicks():
    """(user, item, seconds, stars) in order of time; each user likes the items of one of six kinds."""
    draw = random.Random(7)
    rows = []
    for user in range(USERS):
        liked = [i for i in range(ITEMS) if i % 6 == user % 6] + draw.sample(range(ITEMS), 4)
        for item in draw.sample(liked, ROWS):
            rows.append((user, item, START + draw.randrange(90 * DAY), 4 + draw.randrange(2) if item % 6 == user % 6
                         else 1 + draw.randrange(4)))
    return sorted(rows, key=lambda row: row[2])


def title(item):
    return f"{WORDS[item % 10]} {item} ({1960 + item})"


def genres(item, separator):
    return separator.join(sorted({GENRES[item % 6], GENRES[item // 10]}))


def dates(seconds, form):
    import datetime
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime(form)


def amazon_user(user):
    return f"A{user:02d}LZBOBV9H6E{user % 7}"


def asin(item):
    return f"B0000{item:02d}QDW"


class Folder:
    def __init__(self, root):
        self.root = pathlib.Path(root)

    def write(self, name, text, encoding="utf-8"):
        self.write_bytes(name, text.encode(encoding))

    def write_bytes(self, name, data):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def zip(self, name, members):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, data in members.items():
                info = zipfile.ZipInfo(member, (2020, 1, 1, 0, 0, 0))
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, data)
        self.write_bytes(name, out.getvalue())

    def tar_gz(self, name, members):
        out = io.BytesIO()
        with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as archive:
            for member, data in members.items():
                info = tarfile.TarInfo(member)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        self.write_bytes(name, out.getvalue())


def lines(rows):
    return "".join(f"{row}\n" for row in rows)


def movielens(out, log):
    flags = [[int(GENRES[g] in genres(i, "|").split("|")) for g in range(6)] for i in range(ITEMS)]
    by_user = sorted(log, key=lambda r: (r[0], r[1]))
    out.write("ml-100k/u.data", lines(f"{u + 1}\t{i + 1}\t{s}\t{t}" for u, i, t, s in log))
    out.write("ml-100k/u.item", lines(
        f"{i + 1}|{title(i)}|01-Jan-{1960 + i if i < 40 else 1995}||http://us.imdb.com/M/title-exact?{i}|"
        + "|".join(map(str, flags[i])) for i in range(ITEMS)), "latin-1")
    out.write("ml-100k/u.user", lines(f"{u + 1}|{20 + u % 40}|{'MF'[u % 2]}|{['writer', 'student'][u % 2]}|{10000 + u}"
                                      for u in range(USERS)))
    dat = {"ml-1m/ratings.dat": lines(f"{u + 1}::{i + 1}::{s}::{t}" for u, i, t, s in by_user).encode(),
           "ml-1m/movies.dat": lines(f"{i + 1}::{title(i)}::{genres(i, '|')}" for i in range(ITEMS)).encode("latin-1"),
           "ml-1m/users.dat": lines(f"{u + 1}::{'FM'[u % 2]}::{25}::{u % 20}::{10000 + u}" for u in range(USERS)).encode(),
           "ml-1m/README": b"about\n"}
    out.zip("ml-1m.zip", dat)
    out.write("ml-10M100K/ratings.dat", lines(f"{u + 1}::{i + 1}::{s - .5 * (t % 2)}::{t}" for u, i, t, s in by_user))
    for name in ("ml-25m", "ml-32m"):
        out.write(f"{name}/ratings.csv", "userId,movieId,rating,timestamp\n"
                  + lines(f"{u + 1},{i + 1},{s - .5 * (t % 2)},{t}" for u, i, t, s in by_user))
        out.write(f"{name}/movies.csv", "movieId,title,genres\n" + lines(
            f"{i + 1},\"{title(i)}, The\",{genres(i, '|')}" for i in range(ITEMS)))


def amazon(out, log):
    def review(u, i, t, s):
        return {"reviewerID": amazon_user(u), "asin": asin(i), "reviewerName": f"R. {u}", "helpful": [u % 3, 3],
                "reviewText": f"It's {'good' if s > 3 else 'bad'} \"value\", item {i}.", "overall": float(s),
                "summary": f"{s} stars", "unixReviewTime": t, "reviewTime": dates(t, "%m %d, %Y")}
    out.write_bytes("amazon-2014/reviews_Beauty_5.json.gz",
                    gzip.compress(lines(json.dumps(review(*r)) for r in log).encode(), mtime=0))
    meta = [{"asin": asin(i), "title": f"{title(i)} - it's new", "price": 9.99 + i, "brand": f"Brand {i % 6}",
             "categories": [["Beauty", GENRES[i % 6]]], "imUrl": f"http://img.example/{i}.jpg"} for i in range(ITEMS)]
    out.write_bytes("amazon-2014/meta_Beauty.json.gz", gzip.compress(lines(map(repr, meta)).encode(), mtime=0))
    out.write("amazon-2018/All_Beauty.csv", lines(f"{asin(i)},{amazon_user(u)},{float(s)},{t}" for u, i, t, s in log))
    new = [{"rating": float(s), "title": f"{s} stars", "text": "Nice.", "images": [], "asin": asin(i),
            "parent_asin": asin(i), "user_id": f"AG3D6O4STAQKAY2UVGEUV46KN{u:02d}A", "timestamp": t * 1000 + 7,
            "helpful_vote": u % 3, "verified_purchase": True} for u, i, t, s in log]
    out.write("amazon-2023/All_Beauty.jsonl", lines(map(json.dumps, new)))
    out.write("amazon-2023/All_Beauty.csv", "user_id,parent_asin,rating,timestamp\n" + lines(
        f"AG3D6O4STAQKAY2UVGEUV46KN{u:02d}A,{asin(i)},{float(s)},{t * 1000 + 7}" for u, i, t, s in log))


def reviews(out, log):
    yelp = [{"review_id": f"KU_O5udG6zpxOg-VcAE{n:03d}", "user_id": f"mh_-eMZ6K5RLWhZyISB{u:03d}",
             "business_id": f"XQfwVwDr-v0ZS3_CbbE{i:03d}", "stars": float(s), "useful": 0, "funny": 0, "cool": u % 2,
             "text": "If you decide to eat here,\nbe aware.", "date": dates(t, "%Y-%m-%d %H:%M:%S")}
            for n, (u, i, t, s) in enumerate(log)]
    business = [{"business_id": f"XQfwVwDr-v0ZS3_CbbE{i:03d}", "name": f"Place {i}", "city": f"City {i % 6}",
                 "stars": 4.0, "review_count": i, "categories": f"{GENRES[i % 6]}, Restaurants", "is_open": 1}
                for i in range(ITEMS)]
    out.tar_gz("yelp_dataset.tar.gz", {
        "yelp_academic_dataset_review.json": lines(map(json.dumps, yelp)).encode(),
        "yelp_academic_dataset_business.json": lines(map(json.dumps, business)).encode()})
    steam = [{"username": f"Player {u}", "hours": 1.5 * s, "products": 100 + u, "product_id": str(700 + i * 10),
              "page_order": n % 10, "date": dates(t, "%Y-%m-%d"), "text": "It's \"fine\".", "early_access": False,
              "page": 1} for n, (u, i, t, s) in enumerate(log)]
    python2 = (repr(row).replace("'username'", "u'username'").replace("'product_id'", "u'product_id'") for row in steam)
    out.write_bytes("steam/steam_reviews.json.gz", gzip.compress(lines(python2).encode(), mtime=0))
    out.write("steam/steam-200k.csv", lines(
        row for u, i, t, s in log for row in (f"{151603712 + u},\"Game {i}, The\",purchase,1.0,0",
                                              f"{151603712 + u},\"Game {i}, The\",play,{273 * s / 10},0")))
    out.write("goodreads/goodreads_interactions.csv", "user_id,book_id,is_read,rating,is_reviewed\n" + lines(
        f"{u},{948 + i},{1 if s else 0},{s},{t % 2}" for u, i, t, s in sorted(log)))
    shelf = [{"user_id": f"8842281e1d1347389f2ab93d60773d{u:02d}", "book_id": str(22551730 + i),
              "review_id": f"{n:032x}", "is_read": True, "rating": s, "review_text_incomplete": "",
              "date_added": dates(t, "%a %b %d %H:%M:%S -0700 %Y"),
              "date_updated": dates(t + 60, "%a %b %d %H:%M:%S -0700 %Y"), "read_at": "", "started_at": ""}
             for n, (u, i, t, s) in enumerate(log)]
    out.write_bytes("goodreads/goodreads_interactions_poetry.json.gz",
                    gzip.compress(lines(map(json.dumps, shelf)).encode(), mtime=0))
    out.zip("BX-CSV-Dump.zip", {
        "BX-Book-Ratings.csv": ("\"User-ID\";\"ISBN\";\"Book-Rating\"\r\n" + "".join(
            f"\"{276725 + u}\";\"{3404921 + i:010d}\";\"{0 if t % 3 == 0 else s * 2}\"\r\n"
            for u, i, t, s in sorted(log))).encode(),
        "BX-Books.csv": ("\"ISBN\";\"Book-Title\";\"Book-Author\";\"Year-Of-Publication\";\"Publisher\"\r\n" + "".join(
            f"\"{3404921 + i:010d}\";\"{title(i)} \\\"complete\\\"; new\";\"Author {i % 6}\";\"{1960 + i}\";\"Müller\"\r\n"
            for i in range(ITEMS))).encode("latin-1")})


def music(out, log):
    out.tar_gz("lastfm-dataset-360K.tar.gz", {
        "lastfm-dataset-360K/usersha1-artmbid-artname-plays.tsv": lines(
            f"{u:040x}\t{i:08x}-2f5b-4bd2\t{title(i)} \"live\" band\t{1 + s * 37}" for u, i, t, s in sorted(log)).encode(),
        "lastfm-dataset-360K/usersha1-profile.tsv": lines(
            f"{u:040x}\t{'mf'[u % 2]}\t{20 + u % 30}\tGermany\tFeb {1 + u % 28}, 2007" for u in range(USERS)).encode()})
    out.write("lastfm-1K/userid-timestamp-artid-artname-traid-traname.tsv", lines(
        f"user_{u + 1:06d}\t{dates(t, '%Y-%m-%dT%H:%M:%SZ')}\t{'' if i % 5 == 0 else f'{i:08x}-1cf0'}\tArtist {i}\t"
        f"{'' if t % 4 == 0 else f'{i:08x}-eb0c'}\t\"Song\" {i}" for u, i, t, s in sorted(log, key=lambda r: (r[0], -r[2]))))


def shops(out, log):
    events = [(t * 1000 + 3, 257597 + u, ["view", "addtocart", "transaction"][max(0, s - 3)], 355908 + i, s)
              for u, i, t, s in log]
    out.write("retailrocket/events.csv", "timestamp,visitorid,event,itemid,transactionid\n" + lines(
        f"{t},{u},{e},{i},{4000 + n if e == 'transaction' else ''}" for n, (t, u, e, i, s) in enumerate(events)))
    out.write("hm/transactions_train.csv", "t_dat,customer_id,article_id,price,sales_channel_id\n" + lines(
        f"{dates(t, '%Y-%m-%d')},{u:064x},0{663713001 + i},0.0{50830508 + s},{1 + t % 2}" for u, i, t, s in log))
    out.write("hm/articles.csv", "article_id,product_code,prod_name,product_type_name,colour_group_name,detail_desc\n"
              + lines(f"0{663713001 + i},{i},Strap top {i},{GENRES[i % 6]},Black,\"Jersey top, narrow \"\"straps\"\".\""
                      for i in range(ITEMS)))
    out.zip("UserBehavior.csv.zip", {"UserBehavior.csv": lines(
        f"{u + 1},{2268318 + i},{2520377 + i % 6},{['pv', 'pv', 'fav', 'cart', 'buy'][s - 1]},{t}"
        for u, i, t, s in sorted(log)).encode()})


def ads(out, log):
    out.write_bytes("criteo_attribution_dataset.tsv.gz", gzip.compress((
        "timestamp\tuid\tcampaign\tconversion\tconversion_timestamp\tconversion_id\tattribution\tclick\tclick_pos\t"
        "click_nb\tcost\tcpo\ttime_since_last_click\tcat1\tcat2\n" + lines(
            f"{t - START}\t{20073966 + u}\t{22589171 + i}\t{s // 5}\t-1\t-1\t0\t{int(s > 2)}\t-1\t-1\t1.0e-05\t0.39\t-1\t"
            f"{5824233 + i % 6}\t{9312274 + u % 6}" for u, i, t, s in log)).encode(), mtime=0))
    shown = random.Random(3)
    clicks_train, page_views = [], []
    for n, (u, i, t, s) in enumerate(log):
        others = shown.sample([j for j in range(ITEMS) if j != i], 2)
        clicks_train += [f"{n + 1},{42337 + a},{int(a == i)}" for a in sorted([i, *others])]
        page_views.append(f"{u:014x},{120 + i},{t - START},{1 + u % 3},US>CA,{1 + u % 2}")
    out.write("outbrain/clicks_train.csv", "display_id,ad_id,clicked\n" + lines(clicks_train))
    out.write("outbrain/page_views_sample.csv", "uuid,document_id,timestamp,platform,geo_location,traffic_source\n"
              + lines(page_views))


def news(out, log):
    draw = random.Random(5)
    per_user = {}
    for u, i, t, s in log:
        per_user.setdefault(u, []).append((t, i))
    rows = []
    for u, seen in per_user.items():
        history = " ".join(f"N{10000 + i}" for _, i in seen[:3])
        for t, i in seen[3:]:
            shown = [f"N{10000 + j}-{int(j == i)}" for j in sorted({i, *draw.sample(range(ITEMS), 3)})]
            rows.append((t, f"U{13740 + u}\t{dates(t, '%m/%d/%Y %-I:%M:%S %p')}\t{history}\t{' '.join(shown)}"))
    out.zip("MINDsmall_train.zip", {
        "behaviors.tsv": lines(f"{n + 1}\t{row}" for n, (_, row) in enumerate(sorted(rows))).encode(),
        "news.tsv": lines(f"N{10000 + i}\tlifestyle\t{GENRES[i % 6].lower()}\t\"{title(i)}\" and more\tAn abstract.\t"
                          f"https://assets.example/{i}.html\t[]\t[{{\"Label\": \"L{i}\"}}]" for i in range(ITEMS)).encode()})


def research(out, log):
    out.write("recbole/ml.inter", "user_id:token\titem_id:token\trating:float\ttimestamp:float\n" + lines(
        f"{u + 1}\t{i + 1}\t{s}\t{t}" for u, i, t, s in log))
    out.write("recbole/ml.item", "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n" + lines(
        f"{i + 1}\t{title(i)[:-7]}\t{1960 + i}\t{genres(i, ' ')}" for i in range(ITEMS)))
    out.write("recbole/ml.user", "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token\n" + lines(
        f"{u + 1}\t{20 + u % 40}\t{'MF'[u % 2]}\twriter\t{10000 + u}" for u in range(USERS)))
    out.write("sasrec/Beauty.txt", lines(f"{u + 1} {i + 1}" for u, i, t, s in sorted(log, key=lambda r: (r[0], r[2]))))
    out.write("librecommender/sample_movielens_rating.dat", lines(
        f"{u + 1}::{i + 1}::{s}::{t}" for u, i, t, s in sorted(log)))
    out.write("librecommender/sample_movielens_merged.csv",
              "user,item,label,time,sex,age,occupation,genre1,genre2,genre3\n" + lines(
                  f"{u + 1},{i + 1},{s},{t},{'MF'[u % 2]},{25},{u % 20},{GENRES[i % 6]},{GENRES[i // 10]},missing"
                  for u, i, t, s in log))
    out.write("rechorus/train.csv", "user_id\titem_id\ttime\n" + lines(f"{u + 1}\t{i + 1}\t{t}" for u, i, t, s in log))


def netflix(out, log):
    by_item = {}
    for u, i, t, s in log:
        by_item.setdefault(i, []).append(f"{1488844 + u},{s},{dates(t, '%Y-%m-%d')}")
    text = "".join(f"{i + 1}:\n" + lines(rows) for i, rows in sorted(by_item.items()))
    out.write("netflix/combined_data_1.txt", text)
    members = {f"training_set/mv_{i + 1:07d}.txt": (f"{i + 1}:\n" + lines(rows)).encode()
               for i, rows in sorted(by_item.items())}
    out.tar_gz("netflix/training_set.tar.gz", members)


def packed(out, log):
    """The same log in compressions that publishers use for CSV."""
    text = ("user_id,item_id,timestamp\n" + lines(f"u{u},i{i},{t}" for u, i, t, s in log)).encode()
    out.write_bytes("packed/log.csv.bz2", bz2.compress(text))
    out.write_bytes("packed/log.csv.xz", lzma.compress(text))


def yambda(out, log):
    """Parquet; skipped without pyarrow, which the tests have."""
    import pyarrow
    import pyarrow.parquet
    table = pyarrow.table({
        "uid": pyarrow.array([100 + u for u, *_ in log], pyarrow.uint32()),
        "item_id": pyarrow.array([3000 + i for _, i, *_ in log], pyarrow.uint32()),
        "timestamp": pyarrow.array([(t - START) // 5 for _, _, t, _ in log], pyarrow.uint32()),
        "is_organic": pyarrow.array([t % 2 for _, _, t, _ in log], pyarrow.uint8()),
        "played_ratio_pct": pyarrow.array([20 * s for *_, s in log], pyarrow.uint16()),
        "track_length_seconds": pyarrow.array([100 + i for _, i, *_ in log], pyarrow.uint32())})
    (out.root / "yambda").mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(table, out.root / "yambda/listens.parquet")


def make(root):
    out, log = Folder(root), clicks()
    for publisher in (movielens, amazon, reviews, music, shops, ads, news, research, netflix, packed, yambda):
        publisher(out, log)


if __name__ == "__main__":
    make(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
