/** The log backend: one JSON line for each event, to a file that is rotated, or to standard output. */
import { closeSync, createReadStream, createWriteStream, fstatSync, mkdirSync, openSync, readdirSync, renameSync, unlinkSync, writeSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Clock } from '../../machinery/clock.ts'
import type { Logger } from '../../machinery/log.ts'
import type { AuditBackend, Mode } from './backend.ts'
import { createBatches, pieces, type BatchOptions } from './batch.ts'

export interface LogBackendOptions {
  /** `-`: standard output. */
  readonly path: string
  readonly mode: Mode
  /** Megabytes after which a new file is begun; 0: 100. */
  readonly maxSize: number
  /** Days that old files are kept; 0: for ever. */
  readonly maxAge: number
  /** How many old files are kept; 0: all. */
  readonly maxBackups: number
  /** Old files are compressed. */
  readonly compress: boolean
  /** Bytes of the largest event that is written whole. */
  readonly maxEventSize?: number | undefined
  /** Bytes that are written at a time, and so to one file; what is more of a batch goes in several. */
  readonly maxBatchSize?: number | undefined
  /** For the mode `batch`. */
  readonly batch: Pick<BatchOptions, 'bufferSize' | 'maxSize' | 'maxWait' | 'throttle'>
  readonly clock: Clock
  readonly log: Logger
}

/** Opens the log. Throws when the file cannot be opened for writing: then nothing at all would be written down. */
export function createLogBackend(options: LogBackendOptions): AuditBackend {
  const { path, mode, maxEventSize, clock, log } = options
  const file = path === '-' ? standardOutput : openFile(options)
  const strict = mode === 'blocking-strict'
  if (mode !== 'batch') return { name: 'log', strict, maxEventSize, write: (line) => file.write(`${line}\n`), stop: async () => file.close() }
  const batches = createBatches({
    ...options.batch, clock,
    send: (lines) => { for (const some of pieces(lines, options.maxBatchSize)) file.write(`${some.join('\n')}\n`) },
    lost: (error, events) => log.error({ backend: 'log', error: error.message, events }, 'audit events are lost'),
  })
  return {
    name: 'log', strict, maxEventSize,
    write: (line) => batches.add(line),
    async stop() {
      await batches.stop()
      await file.close()
    },
  }
}

interface Sink {
  write(text: string): void
  close(): Promise<void> | void
}

const standardOutput: Sink = { write: (text) => void process.stdout.write(text), close: () => undefined }
const megabyte = 1024 * 1024
const day = 24 * 3600 * 1000

function openFile({ path, maxSize, maxAge, maxBackups, compress, clock, log }: LogBackendOptions): Sink {
  const limit = (maxSize || 100) * megabyte
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  let descriptor = openSync(path, 'a', 0o600)
  let size = fstatSync(descriptor).size
  let cleaning: Promise<void> = Promise.resolve()
  const clean = (): void => {
    cleaning = cleaning
      .then(() => cleanUp(path, { maxAge: maxAge * day, maxBackups, compress, now: clock.now() }))
      .catch((error: Error) => log.error({ path, error: error.message }, 'old audit logs could not be tidied up'))
  }
  const rotate = (): void => {
    closeSync(descriptor)
    renameSync(path, rotated(path, clock.now()))
    descriptor = openSync(path, 'a', 0o600)
    size = 0
    clean()
  }
  clean()
  return {
    write(text) {
      const bytes = Buffer.from(text)
      if (size > 0 && size + bytes.length > limit) rotate()
      for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at)
      size += bytes.length
    },
    async close() {
      closeSync(descriptor)
      await cleaning
    },
  }
}

/** `audit-2026-01-01T00-00-00.000.log`: the name a full file goes on under. */
function rotated(path: string, now: number): string {
  const end = extname(path)
  return join(dirname(path), `${basename(path, end)}-${new Date(now).toISOString().slice(0, 23).replaceAll(':', '-')}${end}`)
}

interface Kept { readonly maxAge: number; readonly maxBackups: number; readonly compress: boolean; readonly now: number }

/** Removes what is too old or too much, compresses what is left. */
async function cleanUp(path: string, { maxAge, maxBackups, compress, now }: Kept): Promise<void> {
  const end = extname(path)
  const start = `${basename(path, end)}-`
  const form = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}$/
  const old = readdirSync(dirname(path))
    .map((name) => ({ name, stamp: name.startsWith(start) ? name.slice(start.length).replace(/\.gz$/, '').slice(0, end ? -end.length : undefined) : '' }))
    .filter(({ stamp }) => form.test(stamp))
    .toSorted((a, b) => (a.stamp < b.stamp ? 1 : -1))
  const born = (stamp: string) => Date.parse(`${stamp.slice(0, 11)}${stamp.slice(11).replaceAll('-', ':')}Z`)
  for (const [i, { name, stamp }] of old.entries()) {
    const file = join(dirname(path), name)
    if ((maxBackups > 0 && i >= maxBackups) || (maxAge > 0 && born(stamp) < now - maxAge)) unlinkSync(file)
    else if (compress && !name.endsWith('.gz')) {
      await pipeline(createReadStream(file), createGzip(), createWriteStream(`${file}.gz`, { mode: 0o600 }))
      unlinkSync(file)
    }
  }
}
