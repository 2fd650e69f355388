/** A file that is reloaded when it changes: checked every few seconds, and replaced only by valid content. */
import { readFileSync, statSync } from 'node:fs'
import type { Clock } from '../machinery/clock.ts'
import type { Logger } from '../machinery/log.ts'
import { createReloads, type ReloadCounts } from '../machinery/reloads.ts'
import { UserError } from './user-error.ts'

const every = 5000

export interface WatchedFile<T> {
  /** The file's content, parsed: the same object as long as the content is the same. */
  current(): T
  /** How often it was reloaded. */
  readonly reloads: () => ReloadCounts
  stop(): void
}

/** Size, time and inode, so that a link pointed at another file is noticed, too. */
function stampOf(file: string): string {
  const { mtimeMs, size, ino } = statSync(file)
  return `${mtimeMs} ${size} ${ino}`
}

/**
 * Reads the file with `read`. Throws `UserError` when that fails the first time; later failures are logged, and the last valid content
 * stays in force. `subject` names the file in both.
 */
export async function watchFile<T>(subject: string, file: string, read: (text: string) => Promise<T> | T, { clock, log }: { readonly clock: Clock; readonly log: Logger }): Promise<WatchedFile<T>> {
  let value: T
  let stamp: string
  let text: string
  try {
    stamp = stampOf(file)
    text = readFileSync(file, 'utf8')
    value = await read(text)
  } catch (error) {
    throw new UserError(`${subject}: ${file}: ${(error as Error).message}`)
  }
  const reloads = createReloads(clock, text)
  let timer = clock.after(every, look)
  let stopped = false

  function look(): void {
    refresh().catch((error: Error) => {
      reloads.failed()
      log.error({ file, error: error.message }, `${subject}: the file cannot be used, what it said before holds on`)
    }).finally(() => {
      if (!stopped) timer = clock.after(every, look)
    })
  }
  async function refresh(): Promise<void> {
    const now = stampOf(file)
    if (now === stamp) return
    stamp = now
    const next = readFileSync(file, 'utf8')
    if (next === text) return
    value = await read(next)
    text = next
    reloads.succeeded(text)
  }
  return {
    current: () => value,
    reloads: reloads.counts,
    stop() {
      stopped = true
      timer.cancel()
    },
  }
}
