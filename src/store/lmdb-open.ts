/**
 * Checks before lmdb opens a directory: is it writable, not in use by another process, and the file undamaged? lmdb maps the file into
 * memory, where damage kills the process instead of failing a call, so these are checked first, with a one-line error each.
 */
import { closeSync, constants, existsSync, fstatSync, mkdirSync, accessSync, openSync, readFileSync, rmSync, writeFileSync, linkSync } from 'node:fs'
import { join } from 'node:path'
import { processIdentity } from '../machinery/process.ts'
import { missingPage, newestMeta } from './lmdb-pages.ts'

/** A data directory that cannot be used. The message is one line that names the directory and says how to fix it. */
export class StoreOpenError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'StoreOpenError'
  }
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code ?? ''

/** Creates the directory if it does not exist. Throws `StoreOpenError` when it is not writable. */
export function prepareDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOTDIR' || code === 'EEXIST') throw new StoreOpenError(`${path} is not a directory: name another data directory, or move that file away`, error)
    throw new StoreOpenError(`the data directory ${path} cannot be written (${code}): make it writable for this user, or name another`, error)
  }
  for (const file of ['data.mdb', 'lock.mdb', 'journal.0', 'journal.1']) {
    const full = join(path, file)
    try {
      if (existsSync(full)) accessSync(full, constants.R_OK | constants.W_OK)
    } catch (error) {
      throw new StoreOpenError(`${full} cannot be written (${codeOf(error)}): make it writable for this user, or name another data directory`, error)
    }
  }
}

/** The content of a lock file: the process ID and identity. Empty when its owner has just released it. */
function holder(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').trim().split(' ')
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    return []
  }
}

/**
 * Locks the directory for this process: a file `pid` in it, with the process ID and start time, so that a process ID that is reused
 * after a crash or a reboot locks nobody out. Returns a function that releases the lock.
 */
export function lockDirectory(path: string): () => void {
  const file = join(path, 'pid')
  const own = `${process.pid} ${processIdentity(process.pid)}\n`
  const mine = join(path, `pid.${process.pid}`)
  try {
    writeFileSync(mine, own)
  } catch (error) {
    rmSync(mine, { force: true })
    throw new StoreOpenError(`the data directory ${path} cannot be written (${codeOf(error)}): make room there, or name another`, error)
  }
  try {
    for (;;) {
      try {
        linkSync(mine, file)
        return () => rmSync(file, { force: true })
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error
      }
      const [pid, ...identity] = holder(file)
      if (identity.length && processIdentity(Number(pid)) === identity.join(' ')) {
        throw new StoreOpenError(`the data directory ${path} is in use by process ${pid}: stop that process, or name another data directory`)
      }
      rmSync(file, { force: true })
    }
  } finally {
    rmSync(mine, { force: true })
  }
}

/** Throws `StoreOpenError` when the data file is not lmdb's, or lacks pages that are in use. */
export function checkDataFile(path: string): void {
  const file = join(path, 'data.mdb')
  if (!existsSync(file)) return
  const fd = openSync(file, 'r')
  try {
    const { size } = fstatSync(fd)
    if (size === 0) return
    const meta = newestMeta(fd)
    if (!meta) throw new StoreOpenError(damaged(file, 'it does not begin as an lmdb file does'))
    const missing = meta.pages * meta.pageSize > size ? missingPage(fd, meta) : undefined
    if (missing) throw new StoreOpenError(damaged(file, missing))
  } finally {
    closeSync(fd)
  }
}

/** The error message for a damaged file: what is wrong, and what to do. */
export const damaged = (file: string, how: string): string =>
  `${file} is damaged (${how}): put a backup in its place, or move the data directory away to start anew`
