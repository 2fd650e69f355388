/**
 * Kernel settings that the network needs. They belong to the whole host, so their old values are recorded, with the clusters
 * that rely on them; the last one to leave restores them. The record is under /run: a reboot resets both. A cluster relies on
 * them as long as its directory beside the record exists: one that lost it without `down` no longer counts.
 */
import { access, mkdir, open, readFile, readlink, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../../machinery/clock.ts'

export interface Sysctl { readonly name: string; readonly value: string }

export const forwardIpv4: Sysctl = { name: 'net.ipv4.ip_forward', value: '1' }
export const forwardIpv6: Sysctl = { name: 'net.ipv6.conf.all.forwarding', value: '1' }
/** Allows 127.0.0.1:<node port> to be routed to a pod's interface. */
export const routeLocalnet: Sysctl = { name: 'net.ipv4.conf.all.route_localnet', value: '1' }

interface Loan { readonly original: string; readonly users: readonly string[] }
type Loans = Readonly<Record<string, Loan>>

const fileOf = (name: string) => `/proc/sys/${name.replaceAll('.', '/')}`

/** One record per network namespace: a node in its own namespace has its own settings. */
async function notePath(directory: string): Promise<string> {
  const namespace = await readlink('/proc/self/ns/net').catch(() => 'net:[0]') // no /proc namespaces: there is only one
  return join(directory, `.sysctls-${namespace.replace(/\D/g, '')}.json`)
}

async function readLoans(path: string): Promise<Loans> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Loans
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return {}
    throw error
  }
}

async function writeLoans(path: string, loans: Loans): Promise<void> {
  if (Object.keys(loans).length === 0) return rm(path, { force: true })
  await writeFile(`${path}.new`, `${JSON.stringify(loans, null, 2)}\n`)
  await rename(`${path}.new`, path)
}

/** Serializes clusters that start or stop at the same moment. A lock older than 5 s belonged to a process that died. */
async function locked<T>(path: string, task: () => Promise<T>): Promise<T> {
  const lock = `${path}.lock`
  for (;;) {
    try {
      await (await open(lock, 'wx')).close()
      break
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const age = await stat(lock).then((s) => Date.now() - s.mtimeMs, () => 0)
      if (age > 5000) await rm(lock, { force: true })
      else await systemClock.sleep(20)
    }
  }
  try {
    return await task()
  } finally {
    await rm(lock, { force: true })
  }
}

/** The users that still exist. */
async function present(directory: string, users: readonly string[]): Promise<readonly string[]> {
  const there = await Promise.all(users.map((user) => access(join(directory, user)).then(() => true, () => false)))
  return users.filter((_, i) => there[i])
}

/**
 * Applies the settings for `user` (a cluster's name) and records the old values. A setting that already has its value is
 * recorded too: another cluster may have set it, and must not reset it while this one runs. Throws if /proc/sys is not
 * writable and the value differs.
 */
export async function borrowSysctls(directory: string, user: string, sysctls: readonly Sysctl[]): Promise<void> {
  await mkdir(directory, { recursive: true })
  const path = await notePath(directory)
  await locked(path, async () => {
    let loans = await readLoans(path)
    for (const { name, value } of sysctls) {
      const current = (await readFile(fileOf(name), 'utf8')).trim()
      const loan = loans[name]
      const users = (await present(directory, loan?.users ?? [])).filter((u) => u !== user)
      // Somebody reset it on purpose, or the record was of another namespace with the same inode number.
      const original = loan && current === value ? loan.original : current
      loans = { ...loans, [name]: { original, users: [...users, user] } }
      await writeLoans(path, loans)
      if (current === value) continue
      try {
        await writeFile(fileOf(name), value)
      } catch (error) {
        throw new Error(`the pod network needs ${name} = ${value}, and it cannot be set: ${(error as Error).message}`, { cause: error })
      }
    }
  })
}

/** Removes `user` from the record, and restores settings that nobody relies on any more. */
export async function returnSysctls(directory: string, user: string): Promise<void> {
  const path = await notePath(directory)
  if (Object.keys(await readLoans(path)).length === 0) return
  await locked(path, async () => {
    const kept: Record<string, Loan> = {}
    for (const [name, loan] of Object.entries(await readLoans(path))) {
      const users = (await present(directory, loan.users)).filter((u) => u !== user)
      if (users.length > 0) kept[name] = { ...loan, users }
      else await writeFile(fileOf(name), loan.original)
    }
    await writeLoans(path, kept)
  })
}
