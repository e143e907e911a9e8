"""The peers of bench/index.py: each is built once, kept in a folder, and searched with one thread.

A peer has a name, the settings that its speed is traded for recall with, and search(queries, k, setting) -> [n, k] item rows.
"""

import pathlib

import numpy as np


class Faiss:
    """An inverted file with 8-bit codes (SQ8), or with the vectors themselves (Flat)."""

    def __init__(self, kind, items, folder, threads):
        import faiss

        self.name, self.faiss = f"faiss {kind}", faiss
        path = pathlib.Path(folder) / f"faiss-{kind}"
        if not path.exists():
            faiss.omp_set_num_threads(threads)
            index = faiss.index_factory(items.shape[1], kind, faiss.METRIC_INNER_PRODUCT)
            sample = np.random.default_rng(0).permutation(len(items))[: 4096 * 64]
            index.train(np.ascontiguousarray(items[np.sort(sample)]))
            index.add(np.ascontiguousarray(items))
            faiss.write_index(index, str(path))
        self.index = faiss.read_index(str(path))
        faiss.omp_set_num_threads(1)

    def settings(self, k):
        return [20, 40, 60, 80, 120, 160, 240, 320, 480, 640]

    def search(self, queries, k, setting):
        self.index.nprobe = setting
        return self.index.search(queries, k)[1]


class Hnswlib:
    name = "hnswlib"

    def __init__(self, items, folder, threads):
        import hnswlib

        path = pathlib.Path(folder) / "hnswlib"
        self.index = hnswlib.Index("ip", items.shape[1])
        if not path.exists():
            self.index.init_index(len(items), ef_construction=200, M=32, random_seed=1)
            self.index.add_items(np.asarray(items), num_threads=threads)
            self.index.save_index(str(path))
        else:
            self.index.load_index(str(path), max_elements=len(items))
        self.index.set_num_threads(1)

    def settings(self, k):
        return [k + 1, int(1.25 * k) + 10, int(1.6 * k) + 20, 2 * k + 40, 3 * k + 80, 4 * k + 160]

    def search(self, queries, k, setting):
        self.index.set_ef(max(k, setting))
        return self.index.knn_query(queries, k, num_threads=1)[0].astype(np.int64)


class Usearch:
    name = "usearch"

    def __init__(self, items, folder, threads):
        from usearch.index import Index

        path = pathlib.Path(folder) / "usearch"
        self.index = Index(ndim=items.shape[1], metric="ip", dtype="f32", connectivity=32, expansion_add=128)
        if not path.exists():
            self.index.add(np.arange(len(items)), np.asarray(items), threads=threads)
            self.index.save(str(path))
        else:
            self.index.load(str(path))

    settings = Hnswlib.settings

    def search(self, queries, k, setting):
        self.index.expansion_search = max(k, setting)
        keys = self.index.search(queries, k, threads=1).keys
        return np.asarray(keys).astype(np.int64).reshape(len(queries), -1)


class Scann:
    name = "scann"

    def __init__(self, items, folder, threads):
        import scann

        path = pathlib.Path(folder) / "scann"
        if not path.exists():
            index = (
                scann.scann_ops_pybind.builder(np.asarray(items), 2000, "dot_product")
                .tree(num_leaves=4096, num_leaves_to_search=100, training_sample_size=4096 * 64)
                .score_ah(2, anisotropic_quantization_threshold=0.2)
                .reorder(4000)
                .set_n_training_threads(threads)
                .build()
            )
            path.mkdir()
            index.serialize(str(path))
        self.index = scann.scann_ops_pybind.load_searcher(str(path))

    def settings(self, k):
        leaves = [40, 60, 80, 120, 160, 240, 320, 480, 640]
        return [(n, int(r * k) + 100) for n in leaves for r in (1.5, 3)]

    def search(self, queries, k, setting):
        leaves, reorder = setting
        found = self.index.search_batched(queries, final_num_neighbors=k, leaves_to_search=leaves, pre_reorder_num_neighbors=reorder)[0]
        return found.astype(np.int64)


def make(name, items, folder, threads):
    if name.startswith("faiss "):
        return Faiss(name.split(" ", 1)[1], items, folder, threads)
    return {"hnswlib": Hnswlib, "usearch": Usearch, "scann": Scann}[name](items, folder, threads)


NAMES = ["scann", "faiss IVF4096,SQ8", "faiss IVF4096,Flat", "hnswlib", "usearch"]
