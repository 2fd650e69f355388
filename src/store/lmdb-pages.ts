/**
 * The format of lmdb's file, as far as it takes to tell whether a file has all pages that are in use. It may rightly be shorter than its
 * meta page says: a page that a transaction took at the end and gave back at once is free, counts as one of the file's, and was never written.
 */
import { fstatSync, readSync } from 'node:fs'

const headerBytes = 24
const magic = 0xbeefc0de
/** The kinds of page; a leaf of fixed-size values has no nodes. */
const branch = 0x01
const leaf = 0x02
const fixed = 0x20
/** What a leaf's node may hold instead of its value: where the pages with the value are, or a tree of its own. */
const elsewhere = 0x01
const tree = 0x02
/** Where the record of a tree says its first page, and what stands there when the tree is empty. */
const rootAt = 40
const nowhere = 2n ** 64n - 1n

/** What the newest meta page says: bytes of a page, the number of pages, and the first pages of the two trees, free space and data. */
export interface FileMeta { readonly pageSize: number; readonly pages: number; readonly roots: readonly bigint[] }

function metaAt(fd: number, offset: number): FileMeta & { readonly transaction: bigint } | undefined {
  const page = Buffer.alloc(headerBytes + 136)
  if (readSync(fd, page, 0, page.length, offset) < page.length || page.readUInt32LE(headerBytes) !== magic) return undefined
  const meta = page.subarray(headerBytes)
  return {
    pageSize: meta.readUInt32LE(24), pages: Number(meta.readBigUInt64LE(120)) + 1, transaction: meta.readBigUInt64LE(128),
    roots: [meta.readBigUInt64LE(24 + rootAt), meta.readBigUInt64LE(72 + rootAt)],
  }
}

/** The newer of the two meta pages; undefined when the file does not begin as lmdb's do. */
export function newestMeta(fd: number): FileMeta | undefined {
  const first = metaAt(fd, 0)
  const second = first && metaAt(fd, first.pageSize)
  if (!second) return undefined
  return first.transaction > second.transaction ? first : second
}

/** Where a page refers to another one of a tree, or to the pages in a row that hold a large value, which have no nodes. */
interface Reference { readonly page: bigint; readonly count: number; readonly nodes: boolean }

function * references(page: Buffer): Generator<Reference> {
  const flags = page.readUInt16LE(18)
  if ((flags & (branch | leaf)) === 0) throw new RangeError('it is no page of a tree')
  if ((flags & fixed) !== 0) return
  for (let n = page.readUInt16LE(20) >> 1, i = 0; i < n; i++) {
    const node = headerBytes + page.readUInt16LE(headerBytes + 2 * i)
    if ((flags & branch) !== 0) {
      yield { page: BigInt(page.readUIntLE(node, 6)), count: 1, nodes: true }
      continue
    }
    const holds = page.readUInt16LE(node + 4)
    const data = node + 8 + page.readUInt16LE(node + 6)
    if ((holds & elsewhere) !== 0) yield { page: page.readBigUInt64LE(data), count: Number(page.readBigUInt64LE(data + 16)), nodes: false }
    else if ((holds & tree) !== 0) yield { page: page.readBigUInt64LE(data + rootAt), count: 1, nodes: true }
  }
}

/**
 * Reads every tree of the file. Returns what is wrong: a page in use that the file does not have, or one that cannot be read; undefined
 * when there is nothing. Costs a read for each page but those of large values.
 */
export function missingPage(fd: number, { pageSize, roots, pages }: FileMeta): string | undefined {
  const there = Math.floor(fstatSync(fd).size / pageSize)
  const page = Buffer.alloc(pageSize)
  const waiting: Reference[] = roots.map((root) => ({ page: root, count: 1, nodes: true }))
  let read = 0
  while (waiting.length > 0) {
    const next = waiting.pop()!
    if (next.page === nowhere) continue
    if (next.page + BigInt(next.count) > there) return `page ${next.page + BigInt(next.count - 1)} of ${pages} is in use, and ${there} are left`
    if (!next.nodes) continue
    // Each page has one reference.
    if (++read > pages) return 'its pages refer to each other in a circle'
    try {
      readSync(fd, page, 0, pageSize, Number(next.page) * pageSize)
      for (const reference of references(page)) waiting.push(reference)
    } catch (error) {
      return `page ${next.page} cannot be read: ${(error as Error).message}`
    }
  }
  return undefined
}
