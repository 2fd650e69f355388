/** Runs the host's network tools (nft, ip, conntrack): short commands, their input from memory. */
import { spawn } from 'node:child_process'

export interface RunOptions {
  /** Written to the command's standard input. */
  readonly input?: string
  readonly signal?: AbortSignal
}

/** A command that exited with a code other than 0, or could not be started. */
export class CommandError extends Error {
  readonly code: number | undefined
  readonly stderr: string

  constructor(command: string, args: readonly string[], code: number | undefined, stderr: string) {
    super(`${[command, ...args].join(' ')}: ${stderr.trim() || `ended with code ${code}`}`)
    this.name = 'CommandError'
    this.code = code
    this.stderr = stderr
  }
}

/** Debian has these tools in directories that are not on every user's PATH. */
const searchPath = [process.env['PATH'], '/usr/sbin', '/sbin'].filter(Boolean).join(':')

/** Resolves with the standard output; rejects with a `CommandError` that carries the standard error. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, PATH: searchPath, LC_ALL: 'C' },
      signal: options.signal,
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => { stdout += chunk })
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => { stderr += chunk })
    child.once('error', (error) => reject(new CommandError(command, args, undefined, error.message)))
    child.once('close', (code) => (code === 0 ? resolve(stdout) : reject(new CommandError(command, args, code ?? undefined, stderr))))
    // A command that exits before it has read everything says why on stderr; the broken pipe adds nothing.
    child.stdin.on('error', () => child.stdin.destroy())
    child.stdin.end(options.input ?? '')
  })
}

/** Whether the command is not installed. */
export const isMissing = (error: unknown): boolean => error instanceof CommandError && error.code === undefined && error.stderr.includes('ENOENT')
