/** Termination messages: the file a container wrote its last words to, or the end of its log. */
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { core } from '../../api/index.ts'
import type { ContainerStatus } from '../runtime/driver.ts'
import { annotation, podLogDirectory } from './names.ts'
import type { Tools } from './tools.ts'

const longestFile = 4096
const longestLog = 2048
const logLines = 80

/** At most 4096 bytes of the file; with `FallbackToLogsOnError`, the last 80 lines (2048 bytes) of the log of a failed container that wrote none. */
export async function readMessage(tools: Tools, pod: core.Pod, status: ContainerStatus): Promise<string> {
  const file = status.annotations[annotation.terminationMessageFile]
  const message = file ? await head(file) : ''
  if (message !== '') return message
  if (status.exitCode === 0 || status.annotations[annotation.terminationMessagePolicy] !== 'FallbackToLogsOnError') return ''
  const log = join(podLogDirectory(tools.context.directories.logs, pod), status.name, `${status.attempt}.log`)
  const text = await readFile(status.logPath || log, 'utf8').catch(missing)
  const lines = text.split('\n').filter(Boolean).slice(-logLines).map((line) => line.split(' ').slice(3).join(' '))
  const tail = Buffer.from(lines.map((line) => `${line}\n`).join(''))
  return tail.subarray(Math.max(0, tail.length - longestLog)).toString()
}

const missing = (error: NodeJS.ErrnoException): string => {
  if (error.code === 'ENOENT') return ''
  throw error
}

async function head(file: string): Promise<string> {
  const handle = await open(file).catch(missing)
  if (typeof handle === 'string') return handle
  try {
    const buffer = Buffer.alloc(longestFile)
    const { bytesRead } = await handle.read(buffer, 0, longestFile, 0)
    return buffer.subarray(0, bytesRead).toString()
  } finally {
    await handle.close()
  }
}
