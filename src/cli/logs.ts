/** `skiff logs`: what the cluster's own process wrote. */
import { createReadStream, existsSync, readFileSync, statSync, watchFile } from 'node:fs'
import { UserError } from '../cluster/user-error.ts'
import { existing, pathsFrom } from './options.ts'
import type { ClusterOptions } from './options.ts'

export interface LogsOptions extends ClusterOptions {
  readonly follow?: boolean
  readonly tail: number
}

export async function logs(options: LogsOptions): Promise<void> {
  const { log } = pathsFrom(options)
  if (!existsSync(log)) throw new UserError(`there is no log of cluster "${options.name}" in ${log}; start the cluster with "skiff up"`)
  if (options.port !== undefined) existing(options)
  const lines = options.tail
  const text = readFileSync(log, 'utf8')
  const all = text.endsWith('\n') ? text.slice(0, -1).split('\n') : text.split('\n')
  const last = lines === 0 ? [] : all.slice(-lines)
  if (last.length > 0) process.stdout.write(`${last.join('\n')}\n`)
  if (options.follow) await follow(log, Buffer.byteLength(text))
}

/** Prints what is added, until the process is ended. */
function follow(file: string, from: number): Promise<never> {
  let position = from
  return new Promise((_, reject) => {
    watchFile(file, { interval: 200 }, () => {
      const size = statSync(file).size
      if (size < position) position = 0
      if (size === position) return
      const added = createReadStream(file, { start: position, end: size - 1 })
      position = size
      added.on('error', reject)
      added.pipe(process.stdout, { end: false })
    })
  })
}
