"""The peers of bench/index.py: each is built once, kept in a folder, and searched with one thread.

A peer has a name, the settings that its speed is traded for recall with, search(queries, k, setting) -> [n, k] item rows, and
in `built` the seconds that took and the bytes that it is.
"""

import json
import pathlib
import time

import numpy as np


def lists_for(items):
    """About 4 sqrt(items), a power of two."""
    return 1 << round(np.log2(4 * items**0.5))


class Peer:
    """Builds where nothing was built before, and loads."""

    def __init__(self, items, folder, threads):
        self.items, self.lists = len(items), lists_for(len(items))
        path = pathlib.Path(folder) / self.name.replace(" ", "-")
        about = path.with_name(f"{path.name}.json")
        if not about.exists():
            begin, spent = time.perf_counter(), time.process_time()
            self.build(items, path, threads)
            took = {"seconds": time.perf_counter() - begin, "cpu_seconds": time.process_time() - spent}
            files = [path] if path.is_file() else path.rglob("*")
            about.write_text(json.dumps(took | {"bytes": sum(f.stat().st_size for f in files)}))
        self.built = json.loads(about.read_text())
        self.load(path, items)


class Faiss(Peer):
    """An inverted file with 8-bit codes (SQ8), or with the vectors themselves (Flat)."""

    def __init__(self, kind, items, folder, threads):
        import faiss

        self.kind, self.name, self.faiss = kind, f"faiss {kind}", faiss
        super().__init__(items, folder, threads)

    def build(self, items, path, threads):
        self.faiss.omp_set_num_threads(threads)
        index = self.faiss.index_factory(items.shape[1], f"IVF{self.lists},{self.kind}", self.faiss.METRIC_INNER_PRODUCT)
        sample = np.random.default_rng(0).permutation(len(items))[: self.lists * 64]
        index.train(np.ascontiguousarray(items[np.sort(sample)]))
        for begin in range(0, len(items), 1 << 20):
            index.add(np.ascontiguousarray(items[begin : begin + (1 << 20)]))
        self.faiss.write_index(index, str(path))

    def load(self, path, items):
        self.index = self.faiss.read_index(str(path))
        self.faiss.omp_set_num_threads(1)

    def settings(self, k):
        return [self.lists * share // 1024 for share in (3, 5, 10, 15, 20, 30, 40, 60, 80, 120, 160)]

    def search(self, queries, k, setting):
        self.index.nprobe = setting
        return self.index.search(queries, k)[1]


class Hnswlib(Peer):
    name = "hnswlib"

    def build(self, items, path, threads):
        import hnswlib

        index = hnswlib.Index("ip", items.shape[1])
        index.init_index(len(items), ef_construction=200, M=32, random_seed=1)
        index.add_items(np.asarray(items), num_threads=threads)
        index.save_index(str(path))

    def load(self, path, items):
        import hnswlib

        self.index = hnswlib.Index("ip", items.shape[1])
        self.index.load_index(str(path), max_elements=len(items))
        self.index.set_num_threads(1)

    def settings(self, k):
        return [k + 1, int(1.25 * k) + 10, int(1.6 * k) + 20, 2 * k + 40, 3 * k + 80, 4 * k + 160]

    def search(self, queries, k, setting):
        self.index.set_ef(max(k, setting))
        return self.index.knn_query(queries, k, num_threads=1)[0].astype(np.int64)


class Usearch(Peer):
    name = "usearch"

    def empty(self, dim):
        from usearch.index import Index

        return Index(ndim=dim, metric="ip", dtype="f32", connectivity=32, expansion_add=128)

    def build(self, items, path, threads):
        index = self.empty(items.shape[1])
        index.add(np.arange(len(items)), np.asarray(items), threads=threads)
        index.save(str(path))

    def load(self, path, items):
        self.index = self.empty(items.shape[1])
        self.index.load(str(path))

    settings = Hnswlib.settings

    def search(self, queries, k, setting):
        self.index.expansion_search = max(k, setting)
        keys = self.index.search(queries, k, threads=1).keys
        return np.asarray(keys).astype(np.int64).reshape(len(queries), -1)


class Scann(Peer):
    name = "scann"

    def build(self, items, path, threads):
        import scann

        index = (
            scann.scann_ops_pybind.builder(np.asarray(items), 2000, "dot_product")
            .tree(num_leaves=self.lists, num_leaves_to_search=100, training_sample_size=self.lists * 64)
            .score_ah(2, anisotropic_quantization_threshold=0.2)
            .reorder(4000)
            .set_n_training_threads(threads)
            .build()
        )
        path.mkdir(exist_ok=True)
        index.serialize(str(path))

    def load(self, path, items):
        import scann

        self.index = scann.scann_ops_pybind.load_searcher(str(path))

    def settings(self, k):
        leaves = [self.lists * share // 1024 for share in (10, 20, 30, 40, 60, 80, 120, 180, 270)]
        # Of more items more come between the best k by the codes of four bits.
        return [(n, r * k + 300) for n in leaves for r in ((3, 6, 12, 20) if self.items >= 5 * 10**6 else (1, 3, 6))]

    def search(self, queries, k, setting):
        leaves, reorder = setting
        found = self.index.search_batched(queries, final_num_neighbors=k, leaves_to_search=leaves, pre_reorder_num_neighbors=reorder)[0]
        return found.astype(np.int64)


def make(name, items, folder, threads):
    if name.startswith("faiss "):
        return Faiss(name.split(" ", 1)[1], items, folder, threads)
    return {"hnswlib": Hnswlib, "usearch": Usearch, "scann": Scann}[name](items, folder, threads)


NAMES = ["scann", "faiss SQ8", "faiss Flat", "hnswlib", "usearch"]
