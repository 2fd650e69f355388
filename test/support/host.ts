/** A host of the tests' own: a network namespace with one interface, so that no test traffic leaves the machine. */
import { execFile, execFileSync } from 'node:child_process'

export interface TestHost {
  readonly namespace: string
  readonly address: string
  /** Runs a program on this host; resolves with what it printed and its exit code, never rejects for the code. */
  run(program: string, args: readonly string[], options?: { readonly env?: Record<string, string>; readonly input?: string; readonly timeoutMs?: number }): Promise<Finished>
  /** Takes the namespace away again. */
  remove(): void
}

export interface Finished { readonly code: number; readonly stdout: string; readonly stderr: string }

const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'pipe' })

/** Makes a host with the given address on its only interface. */
export function createTestHost(name: string, address = '172.31.99.2'): TestHost {
  const namespace = `skiff-${name}-${process.pid}`
  ip('netns', 'add', namespace)
  ip('-n', namespace, 'link', 'set', 'lo', 'up')
  // A cable whose other end lies on the same host: an interface that is up and leads nowhere.
  ip('-n', namespace, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0-end')
  ip('-n', namespace, 'addr', 'add', `${address}/24`, 'dev', 'eth0')
  ip('-n', namespace, 'link', 'set', 'eth0', 'up')
  ip('-n', namespace, 'link', 'set', 'eth0-end', 'up')
  ip('-n', namespace, 'route', 'add', 'default', 'via', address.replace(/\d+$/, '1'), 'dev', 'eth0')
  return hostIn(namespace, address)
}

/** Makes a second host on the same cable as `other`: what was the dead end of its cable becomes this one's interface. */
export function createNeighbour(other: TestHost, name: string, address: string): TestHost {
  const namespace = `skiff-${name}-${process.pid}`
  ip('netns', 'add', namespace)
  ip('-n', namespace, 'link', 'set', 'lo', 'up')
  ip('-n', other.namespace, 'link', 'set', 'eth0-end', 'netns', namespace, 'name', 'eth0')
  ip('-n', namespace, 'addr', 'add', `${address}/24`, 'dev', 'eth0')
  ip('-n', namespace, 'link', 'set', 'eth0', 'up')
  ip('-n', namespace, 'route', 'add', 'default', 'via', address.replace(/\d+$/, '1'), 'dev', 'eth0')
  return hostIn(namespace, address)
}

const hostIn = (namespace: string, address: string): TestHost => ({
  namespace,
  address,
  run: (program, args, options) => run('nsenter', [`--net=/run/netns/${namespace}`, program, ...args], options),
  remove: () => void ip('netns', 'del', namespace),
})

/** Runs a program to its end. */
export function run(program: string, args: readonly string[], options: { readonly env?: Record<string, string>; readonly input?: string; readonly timeoutMs?: number } = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, [...args], { env: { ...process.env, ...options.env }, timeout: options.timeoutMs ?? 120_000, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number' && !child.killed) return reject(error)
      resolve({ code: error ? (typeof error.code === 'number' ? error.code : 124) : 0, stdout, stderr })
    })
    if (options.input !== undefined) child.stdin?.end(options.input)
    else child.stdin?.end()
  })
}

/** Asks again and again until the answer is not undefined; throws with `what` when time runs out. */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined> | T | undefined, timeoutMs = 30_000): Promise<T> {
  const end = Date.now() + timeoutMs
  let last: unknown
  while (Date.now() < end) {
    try {
      const answer = await ask()
      if (answer !== undefined) return answer
    } catch (error) {
      last = error
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`${what}: not within ${timeoutMs / 1000} s${last instanceof Error ? ` (${last.message})` : ''}`)
}
