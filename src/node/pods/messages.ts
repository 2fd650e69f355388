/** Termination messages: the file a container wrote its last words to, or the end of its log. */
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { core } from '../../api/index.ts'
import type { ContainerStatus } from '../runtime/driver.ts'
import { newline, parseLine } from '../logs/cri-log.ts'
import { annotation, podLogDirectory } from './names.ts'
import type { PodState } from './state.ts'
import type { Tools } from './tools.ts'

const longestFile = 4096
const longestLog = 2048
const logLines = 80

/** The last 4096 bytes of the file at most; with `FallbackToLogsOnError`, the last 80 lines (2048 bytes) of the log of a failed container that wrote none. */
async function readMessage(tools: Tools, pod: core.Pod, status: ContainerStatus): Promise<string> {
  const file = status.annotations[annotation.terminationMessageFile]
  const message = file ? await tail(file) : ''
  if (message !== '') return message
  if (status.exitCode === 0 || status.annotations[annotation.terminationMessagePolicy] !== 'FallbackToLogsOnError') return ''
  const log = join(podLogDirectory(tools.context.directories.logs, pod), status.name, `${status.attempt}.log`)
  const text = await readFile(status.logPath || log).catch(missing)
  const end = Buffer.concat(lastLines(Buffer.from(text)).map((line) => parseLine(line)?.text ?? Buffer.alloc(0)))
  return end.subarray(Math.max(0, end.length - longestLog)).toString()
}

/** Reads the last words of the containers that ended since the last look: whoever sees that they ended sees these with it. */
export async function readMessages(tools: Tools, state: PodState): Promise<void> {
  for (const status of state.world.containers) {
    if (status.state === 'exited' && !state.messages.has(status.id)) state.messages.set(status.id, await readMessage(tools, state.pod, status))
  }
}

/** The last lines of a log, each as it is written, parts of lines counted as lines. */
function lastLines(log: Buffer): readonly Buffer[] {
  const lines: Buffer[] = []
  for (let end = log.length; end > 0 && lines.length < logLines;) {
    const start = end > 1 ? log.lastIndexOf(newline, end - 2) + 1 : 0
    lines.unshift(log.subarray(start, log[end - 1] === newline[0] ? end - 1 : end))
    end = start
  }
  return lines
}

const missing = (error: NodeJS.ErrnoException): string => {
  if (error.code === 'ENOENT') return ''
  throw error
}

async function tail(file: string): Promise<string> {
  const handle = await open(file).catch(missing)
  if (typeof handle === 'string') return handle
  try {
    const { size } = await handle.stat()
    const buffer = Buffer.alloc(longestFile)
    const { bytesRead } = await handle.read(buffer, 0, longestFile, Math.max(0, size - longestFile))
    return buffer.subarray(0, bytesRead).toString()
  } finally {
    await handle.close()
  }
}
