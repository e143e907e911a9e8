#!/usr/bin/env python3
"""Baselines to hold a model against, computed without any code of the project (numpy alone).

    baselines.py clicks.csv.gz [--test-days 30]          time split: the log's last days are the test
    baselines.py --train train.txt.gz --test test.txt.gz
                                                         given split; adjacency (`user item item ...`) or CSV

The CSV (.gz too) has a header that names user_id, item_id and, for a time split, timestamp (seconds since 1970 or ISO
8601). Prints one JSON object: recall@K and ndcg@K, averaged over the users who are in both parts, of

    popular          train positives of all time
    popular_recent   those of the last --recent-days of train (time split only)
    item_knn         sum over the history of cosine(i, j) = c_ij / sqrt(c_i c_j); for a candidate j only those i of the
                     history count that are among its --neighbours nearest

Every list is over the whole catalogue of train less the user's own train items; test items that train does not know
count as misses. Ties go to the item that came first in the file.
"""
import argparse
import csv
import gzip
import json
import time
from array import array
from datetime import datetime, timezone

import numpy as np


class Ids(dict):
    """Numbers ids in order of first sight."""

    def __missing__(self, key):
        self[key] = number = len(self)
        return number


def open_text(path):
    return gzip.open(path, "rt", newline="") if path.endswith(".gz") else open(path, newline="")


def seconds(text):
    try:
        return float(text)
    except ValueError:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()


def read(path, users, items, args, timed):
    """The file's users, items and moments as arrays, a row a pair."""
    user, item, moment = array("i"), array("i"), array("d")
    with open_text(path) as file:
        if ".csv" in path:
            rows = csv.reader(file)
            header = next(rows)
            u, i = header.index(args.user), header.index(args.item)
            t = header.index(args.time) if timed else None
            for row in rows:
                user.append(users[row[u]])
                item.append(items[row[i]])
                if timed:
                    moment.append(seconds(row[t]))
        else:
            for line in file:
                head, *tail = line.split() or [""]
                for name in tail:
                    user.append(users[head])
                    item.append(items[name])
    return tuple(np.array(a, dtype=a.typecode) for a in (user, item, moment))


class Lists:
    """Each row's values side by side, every pair once."""

    def __init__(self, rows, values, n_rows, n_values):
        pairs = np.unique(rows.astype(np.int64) * n_values + values)
        self.values = (pairs % n_values).astype(np.int32)
        self.offsets = np.searchsorted(pairs // n_values, np.arange(n_rows + 1))

    def __getitem__(self, row):
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    def lengths(self):
        return np.diff(self.offsets)

    def gather(self, rows):
        """The values of several rows, one after another."""
        begins, lengths = self.offsets[rows], self.offsets[rows + 1] - self.offsets[rows]
        before = np.cumsum(lengths) - lengths
        return self.values[np.arange(lengths.sum()) + np.repeat(begins - before, lengths)]


def item_neighbours(by_user, by_item, n_items, most):
    """[items, most] of neighbours and cosines, item by item, so that the co-occurrences are never held at once."""
    count = by_item.lengths().astype(np.float64)
    norm = 1 / np.sqrt(np.maximum(count, 1))
    most = min(most, n_items)
    nearest = np.zeros((n_items, most), np.int32)
    cosine = np.zeros((n_items, most), np.float32)
    for item in range(n_items):
        together = np.zeros(n_items)
        users = by_item[item]
        for begin in range(0, len(users), 4096):
            together += np.bincount(by_user.gather(users[begin : begin + 4096]), minlength=n_items)
        together *= norm * norm[item]
        together[item] = 0
        top = np.argpartition(-together, most - 1)[:most]
        nearest[item], cosine[item] = top, together[top]
    return nearest, cosine


def judge(name, score, judged, train, test, ks):
    recall, ndcg = np.zeros(len(ks)), np.zeros(len(ks))
    discount = 1 / np.log2(np.arange(2, max(ks) + 2))
    for user in judged:
        scores = np.array(score(user), np.float64)
        scores[train[user]] = -np.inf
        depth = min(max(ks), len(scores))
        bar = np.partition(scores, len(scores) - depth)[len(scores) - depth]
        able = np.flatnonzero(scores >= bar)
        top = able[np.lexsort((able, -scores[able]))][:depth]
        hit = np.isin(top, test[user]) & (scores[top] > -np.inf)
        wanted = len(test[user])
        for n, k in enumerate(ks):
            recall[n] += hit[:k].sum() / wanted
            ndcg[n] += discount[: len(hit[:k])][hit[:k]].sum() / discount[: min(k, wanted)].sum()
    figures = {f"recall@{k}": recall[n] / len(judged) for n, k in enumerate(ks)}
    figures.update({f"ndcg@{k}": ndcg[n] / len(judged) for n, k in enumerate(ks)})
    return {name: {key: round(float(value), 6) for key, value in figures.items()}}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("interactions", nargs="?")
    p.add_argument("--train")
    p.add_argument("--test")
    p.add_argument("--user", default="user_id")
    p.add_argument("--item", default="item_id")
    p.add_argument("--time", default="timestamp")
    p.add_argument("--test-days", type=float, default=30)
    p.add_argument("--recent-days", type=float, default=30)
    p.add_argument("--neighbours", type=int, default=200)
    p.add_argument("--k", type=int, nargs="+", default=[20, 100])
    args = p.parse_args()
    if bool(args.interactions) == bool(args.train and args.test):
        p.error("give either an interactions file or both --train and --test")
    start = time.time()

    users, items = Ids(), Ids()
    if args.interactions:
        user, item, moment = read(args.interactions, users, items, args, timed=True)
        cut = moment.max() - args.test_days * 86400
        is_test = moment > cut
        train_pairs = user[~is_test], item[~is_test]
        test_pairs = user[is_test], item[is_test]
        recent = item[~is_test & (moment > cut - args.recent_days * 86400)]
    else:
        train_pairs = read(args.train, users, items, args, timed=False)[:2]
        test_pairs = read(args.test, users, items, args, timed=False)[:2]
        recent = None
    n_users, n_items = len(users), len(items)
    train = Lists(*train_pairs, n_users, n_items)
    test = Lists(*test_pairs, n_users, n_items)
    by_item = Lists(train_pairs[1], train_pairs[0], n_items, n_users)
    in_train, in_test = train.lengths() > 0, test.lengths() > 0
    judged = np.flatnonzero(in_train & in_test)
    known = by_item.lengths() > 0
    report = {
        "train_pairs": len(train.values),
        "test_pairs": len(test.values),
        "test_pairs_of_items_not_in_train": int((~known[test.values]).sum()),
        "test_users": int(in_test.sum()),
        "judged_users": len(judged),
        "items": int(known.sum()),
    }

    # Items that only the test knows are not in the catalogue: they may not be recommended.
    absent = np.where(known, 0.0, -np.inf)
    popular = by_item.lengths() + absent
    report.update(judge("popular", lambda user: popular, judged, train, test, args.k))
    if recent is not None:
        lately = np.bincount(recent, minlength=n_items) + absent
        report.update(judge("popular_recent", lambda user: lately, judged, train, test, args.k))

    nearest, cosine = item_neighbours(train, by_item, n_items, args.neighbours)
    # Turned around: the items that count i among their nearest, and how near.
    order = np.argsort(nearest, axis=None, kind="stable")
    offsets = np.searchsorted(nearest.ravel()[order], np.arange(n_items + 1))
    cosine = cosine.ravel()[order]
    item_of = (order // nearest.shape[1]).astype(np.int32)

    def knn(user):
        at = np.concatenate([np.arange(offsets[i], offsets[i + 1]) for i in train[user]])
        return np.bincount(item_of[at], weights=cosine[at], minlength=n_items) + absent

    report.update(judge("item_knn", knn, judged, train, test, args.k))
    report["seconds"] = round(time.time() - start, 1)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
