/**
 * The journal (write-ahead log): every acknowledged write is here first, in one write to a preallocated file, so that the disk has
 * nothing to do but store these pages. Two files take turns: one is overwritten only when lmdb has everything in it.
 */
import { fsyncSync, closeSync, constants, fstatSync, openSync, readSync, statSync, write as writeTo } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeRecord, pageBytes, recordBytes, recordSequence } from './journal-records.ts'
import type { JournalRecord } from './journal-records.ts'
import { StoreOpenError } from './lmdb-open.ts'
import { revisionOf } from './lmdb-tables.ts'
import type { Stored } from './lmdb-tables.ts'

export const journalFiles = ['journal.0', 'journal.1'] as const

/** Where the next record goes, and the last sequence in each file. */
export interface JournalPosition { readonly file: number; readonly at: number; readonly last: readonly [number, number] }

export interface Journal {
  /** Whether a record of so many bytes fits without overwriting one that lmdb does not have. */
  room(bytes: number): boolean
  /** Writes a record, for which there must be room; resolves when it is on disk. After a failure the sequence is reused, and the failed record is never read. */
  append(record: Buffer, sequence: number): Promise<void>
  /** lmdb has everything up to this sequence. */
  release(applied: number): void
  close(): void
}

/**
 * Prepares the files for a session. A file that is missing, or of another size, is filled with zeros and flushed, so that later writes change
 * no metadata of the file system; in others the first page is cleared.
 */
export async function prepareJournalFiles(path: string, bytes: number): Promise<void> {
  // Waits for both even if one fails: a retry must not run beside the other.
  const made = await Promise.allSettled(journalFiles.map((name) => prepareFile(join(path, name), bytes)))
  for (const one of made) if (one.status === 'rejected') throw one.reason
  if (!made.some((one) => one.status === 'fulfilled' && one.value)) return
  const directory = await open(path, 'r')
  await directory.sync().finally(() => directory.close())
}

/** Resolves with whether the file was created. */
async function prepareFile(file: string, bytes: number): Promise<boolean> {
  const there = statSync(file, { throwIfNoEntry: false })?.size === bytes
  const handle = await open(file, there ? 'r+' : 'w', 0o600)
  try {
    // Not in larger pieces: the page cache would keep them as large folios, and handle a whole one for each page written.
    const zeros = Buffer.alloc(there ? pageBytes : Math.min(bytes, 4 * pageBytes))
    for (let at = 0; at < (there ? pageBytes : bytes); at += zeros.length) await handle.writeFile(zeros.subarray(0, bytes - at))
    await handle.sync()
  } catch (error) {
    if (!there) await rm(file, { force: true })
    throw error
  } finally {
    await handle.close()
  }
  return !there
}

const writeAt = (fd: number, bytes: Buffer, at: number): Promise<number> =>
  new Promise((resolve, reject) => void writeTo(fd, bytes, 0, bytes.length, at, (error, written) => (error ? reject(error) : resolve(written))))

async function writeWhole(fd: number, bytes: Buffer, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const written = await writeAt(fd, done ? bytes.subarray(done) : bytes, at + done)
    if (!written) throw new Error('the journal takes no more bytes')
    done += written
  }
}

/** Opens the files for writing from a position on; with `durable: false` nothing is flushed. */
export function openJournal(path: string, bytes: number, start: JournalPosition, durable: boolean): Journal {
  const fds = journalFiles.map((name) => openSync(join(path, name), constants.O_RDWR | (durable ? constants.O_DSYNC : 0)))
  const last: [number, number] = [...start.last]
  let { file, at } = start
  let released = 0
  /** Where a write failed: a record may be there, and must be erased. */
  let doubtful: { readonly fd: number; readonly at: number } | undefined

  const settle = async () => {
    if (!doubtful) return
    await writeWhole(doubtful.fd, Buffer.alloc(pageBytes), doubtful.at)
    doubtful = undefined
  }
  const other = () => 1 - file
  const free = () => last[other()]! <= released
  return {
    room: (size) => at + size <= bytes || free(),
    async append(record, sequence) {
      await settle()
      if (at + record.length > bytes) [file, at] = [other(), 0]
      const fd = fds[file]!
      try {
        await writeWhole(fd, record, at)
      } catch (error) {
        doubtful = { fd, at }
        // If it fails now, it is retried before the next record.
        await settle().catch(() => {})
        throw error
      }
      at += record.length
      last[file] = sequence
    },
    release: (applied) => void (released = applied),
    close: () => fds.forEach((fd) => closeSync(fd)),
  }
}

export interface Recovered {
  /** The records that lmdb does not have yet, in order, with their size in the journal. */
  readonly records: readonly { readonly record: JournalRecord; readonly bytes: number }[]
  readonly position: JournalPosition
}

/** A record found in a file. */
interface Found { readonly file: number; readonly at: number; readonly bytes: number; readonly sequence: number; readonly content: Buffer }

/** A file's content. Flushed first: the last process may have been killed before it could, and what is read now must last. */
function contentOf(path: string, name: string, bytes: number): Buffer {
  let fd: number
  try {
    fd = openSync(join(path, name), 'r+')
  } catch (error) {
    throw new StoreOpenError(lost(path, name, (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'it is not there' : (error as Error).message), error)
  }
  try {
    const { size } = fstatSync(fd)
    if (size !== bytes) throw new StoreOpenError(lost(path, name, `it has ${size} bytes instead of ${bytes}`))
    fsyncSync(fd)
    const content = Buffer.allocUnsafeSlow(bytes)
    for (let at = 0; at < bytes; ) {
      const read = readSync(fd, content, at, bytes - at, at)
      if (!read) throw new StoreOpenError(lost(path, name, `only ${at} bytes can be read of it`))
      at += read
    }
    return content
  } finally {
    closeSync(fd)
  }
}

const lost = (path: string, name: string, how: string): string =>
  `${join(path, name)} is damaged (${how}), and has writes that are nowhere else: put a backup of all of ${path} in its place, or move the data directory away to start anew`

/**
 * Reads what a process that did not shut down cleanly left in the journal. A record that was being written when it died is dropped. If one is
 * missing that has others after it, it was acknowledged: throws `StoreOpenError`.
 */
export function recover(path: string, stored: Stored): Recovered {
  const found: Found[] = []
  for (const [file, name] of journalFiles.entries()) {
    const content = contentOf(path, name, stored.journal)
    const first = content.readDoubleLE(24)
    if (first !== stored.session && recordBytes(content, 0, first)) throw new StoreOpenError(lost(path, name, 'it does not belong to the data.mdb beside it'))
    for (let at = 0; at < content.length; ) {
      const bytes = recordBytes(content, at, stored.session)
      if (bytes) found.push({ file, at, bytes, sequence: recordSequence(content, at), content })
      at += bytes || pageBytes
    }
  }
  const wanted = found.filter(({ sequence }) => sequence > stored.applied).sort((a, b) => a.sequence - b.sequence)
  let before = { sequence: stored.applied, revision: stored.revision }
  const records = wanted.map(({ file, at, bytes, sequence, content }) => {
    const record = decodeRecord(content, at)
    if (sequence !== before.sequence + 1 || record.base !== before.revision) {
      throw new StoreOpenError(lost(path, journalFiles[file]!, `the record before the one at byte ${at} is missing`))
    }
    if (record.writes.some(({ place }) => revisionOf(place) <= record.base || revisionOf(place) > record.state.revision)) {
      throw new StoreOpenError(lost(path, journalFiles[file]!, `the record at byte ${at} contradicts itself`))
    }
    before = { sequence, revision: record.state.revision }
    return { record, bytes }
  })
  const end = wanted.at(-1)
  const lastIn = (file: number) => Math.max(0, ...wanted.filter((w) => w.file === file).map(({ sequence }) => sequence))
  return { records, position: { file: end?.file ?? 0, at: end ? end.at + end.bytes : 0, last: [lastIn(0), lastIn(1)] } }
}
