/** Container logs for readers: the last lines, since a time, up to so many bytes, and on as they are written. */
import { watch } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { parseTime } from '../../machinery/time.ts'
import { newline, parseLine, type LogLine } from './cri-log.ts'

export interface LogOptions {
  readonly follow?: boolean
  readonly tailLines?: number
  readonly limitBytes?: number
  readonly timestamps?: boolean
  /** Milliseconds since the epoch: lines before are left out. */
  readonly since?: number
  readonly stream?: 'stdout' | 'stderr'
}

const chunkBytes = 64 * 1024

/** Yields what a reader is to see. Following ends when the signal aborts, or `isRunning` says no and everything was read. */
export async function* readLog(file: string, options: LogOptions, isRunning: () => Promise<boolean>, signal: AbortSignal): AsyncIterable<Buffer> {
  let left = options.limitBytes ?? Infinity
  let continued = false
  for await (const line of linesOf(file, options, isRunning, signal)) {
    if (options.since !== undefined && parseTime(line.time) < options.since) continue
    if (options.stream && line.stream !== options.stream) continue
    const shown = options.timestamps && !continued ? Buffer.concat([Buffer.from(`${line.time} `), line.text]) : line.text
    continued = line.partial
    if (shown.length >= left) { yield shown.subarray(0, left); return }
    left -= shown.length
    yield shown
  }
}

async function* linesOf(file: string, options: LogOptions, isRunning: () => Promise<boolean>, signal: AbortSignal): AsyncIterable<LogLine> {
  const handle = await open(file)
  let current = handle
  try {
    const { size } = await handle.stat()
    let position = options.tailLines === undefined ? 0 : await tailPosition(handle, size, options.tailLines)
    let rest: Buffer = Buffer.alloc(0)
    const changes = options.follow ? changesOf(file, signal) : undefined
    for (;;) {
      // Who does not follow sees what was there when he asked: one line is one line, however fast others come.
      const wanted = options.follow ? chunkBytes : Math.min(chunkBytes, size - position)
      const chunk = Buffer.alloc(wanted)
      const { bytesRead } = await current.read(chunk, 0, wanted, position)
      if (bytesRead > 0) {
        position += bytesRead
        const { lines, remainder } = split(Buffer.concat([rest, chunk.subarray(0, bytesRead)]))
        rest = remainder
        yield* lines
        continue
      }
      if (!changes || signal.aborted) return
      const next = await rotated(file, current, position)
      if (next) {
        if (current !== handle) await current.close()
        current = next
        position = 0
        continue
      }
      const running = await isRunning()
      if (!running && (await current.stat()).size === position) return
      await changes.next()
    }
  } finally {
    await handle.close()
    if (current !== handle) await current.close()
  }
}

function split(data: Buffer): { readonly lines: LogLine[]; readonly remainder: Buffer } {
  const lines: LogLine[] = []
  let from = 0
  for (let at = data.indexOf(newline, from); at >= 0; at = data.indexOf(newline, from)) {
    const line = parseLine(data.subarray(from, at))
    if (line) lines.push(line)
    from = at + 1
  }
  return { lines, remainder: data.subarray(from) }
}

/** Where the last `count` whole lines of the first `size` bytes begin, found from their end. A line in parts counts once. */
async function tailPosition(handle: FileHandle, size: number, count: number): Promise<number> {
  if (count === 0) return size
  let found = 0
  let end = size
  let tail: Buffer = Buffer.alloc(0)
  while (end > 0) {
    const from = Math.max(0, end - chunkBytes)
    const chunk = Buffer.alloc(end - from)
    await handle.read(chunk, 0, chunk.length, from)
    const data = Buffer.concat([chunk, tail])
    const starts = lineStarts(data, from === 0)
    for (let i = starts.length - 1; i >= 0; i--) {
      const start = starts[i] as number
      const stop = data.indexOf(newline, start)
      const line = parseLine(data.subarray(start, stop < 0 ? data.length : stop))
      const before = i > 0 ? parseLine(data.subarray(starts[i - 1], start - 1)) : undefined
      if (line && !before?.partial) found++
      if (found === count) return from + start
    }
    if (from === 0) return 0
    // The first, cut line is looked at again with what is before it.
    const cut = starts[0] ?? data.length
    tail = data.subarray(0, cut)
    end = from
    if (tail.length > 16 * chunkBytes) return from
  }
  return 0
}

function lineStarts(data: Buffer, atBeginning: boolean): number[] {
  const starts: number[] = atBeginning && data.length > 0 ? [0] : []
  for (let at = data.indexOf(newline); at >= 0 && at + 1 < data.length; at = data.indexOf(newline, at + 1)) starts.push(at + 1)
  return starts
}

/** The file that now has the name, if the one being read was renamed and has been read to its end. */
async function rotated(file: string, current: FileHandle, position: number): Promise<FileHandle | undefined> {
  const [now, ours] = await Promise.all([stat(file).catch(() => undefined), current.stat()])
  return now && now.ino !== ours.ino && position >= ours.size ? open(file) : undefined
}

/** Ticks when the file may have changed: told by the kernel, and every second in case that was missed. */
async function* changesOf(file: string, signal: AbortSignal): AsyncGenerator<undefined> {
  let wake = () => {}
  let changed = false
  const watcher = watch(dirname(file), (_event, name) => { if (name === null || name === basename(file)) { changed = true; wake() } })
  const stop = () => wake()
  signal.addEventListener('abort', stop, { once: true })
  try {
    while (!signal.aborted) {
      if (!changed) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, 1000)
          wake = () => { clearTimeout(timer); resolve() }
        })
      }
      changed = false
      yield undefined
    }
  } finally {
    signal.removeEventListener('abort', stop)
    watcher.close()
  }
}
