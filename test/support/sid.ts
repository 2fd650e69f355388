/**
 * Programs and Go sources of Kubernetes as Debian's newest suite has them, for tests: genuine clients that nobody here wrote. They are
 * unpacked into a folder of the user's cache, never installed, and whatever version the suite has is taken.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './host.ts'

const mirror = process.env['SKIFF_TEST_MIRROR'] ?? 'http://deb.debian.org/debian'
const suite = 'sid'
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

interface Package {
  readonly name: string
  readonly depends: readonly string[]
  readonly filename: string
  readonly sha256: string
}

export interface Unpacked {
  /** What would be `/` if the packages were installed. */
  readonly root: string
  /** A path below it: `path('usr/bin/kubectl')`. */
  path(file: string): string
}

/** The packages cannot be had: the mirror does not answer, or has not got them. */
export class Unreachable extends Error {}

/** Runs a program for what it prints; throws `Unreachable` with `what` and the last it said when it fails. */
export async function must(program: string, args: readonly string[], what: string, timeoutMs = 300_000): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, { timeoutMs })
  if (code !== 0) throw new Unreachable(`${what}: ${stderr.split(/[\r\n]/).filter((line) => /[a-z]/.test(line)).slice(-2).join('; ')}`)
  return stdout
}

/** `curl` with the patience of a test; several files at once. */
const fetchAll = (files: readonly { readonly url: string; readonly to: string }[], directory: string) => {
  const list = join(directory, 'list')
  writeFileSync(list, files.map(({ url, to }) => `url = "${url}"\noutput = "${to}"\n`).join(''))
  return must('curl', ['-fsSL', '--no-progress-meter', '--connect-timeout', '20', '--retry', '3', '--retry-all-errors', '--parallel', '--parallel-max', '16', '--config', list], `${mirror} cannot be reached`)
}

const sha256 = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex')

function check(file: string, expected: string): void {
  if (sha256(file) !== expected) throw new Error(`${file} is not what ${mirror} says it is`)
}

/** The suite's list of packages: signed by Debian, by name, virtual ones too. */
async function readIndex(directory: string, architecture: string): Promise<ReadonlyMap<string, Package>> {
  const path = `main/binary-${architecture}/Packages.xz`
  const [release, packages] = [join(directory, 'InRelease'), join(directory, 'Packages.xz')]
  const base = `${mirror}/dists/${suite}`
  await fetchAll([{ url: `${base}/InRelease`, to: release }, { url: `${base}/${path}`, to: packages }], directory)
  if (!existsSync(keyring)) throw new Unreachable(`there is no ${keyring} to check ${mirror} with (package debian-archive-keyring)`)
  const signed = await must('gpgv', ['--quiet', '--keyring', keyring, '--output', '-', release], `${mirror} is not signed by Debian`)
  const line = signed.split('\n').find((text) => text.endsWith(` ${path}`) && /^ [0-9a-f]{64} /.test(text))
  if (!line) throw new Unreachable(`${mirror} has no ${path}`)
  check(packages, line.trim().split(' ')[0]!)
  return indexOf(await must('xz', ['-dc', packages], 'the list of packages'))
}

/** Reads a Packages file. The first package that provides a name stands for it where none has it. */
export function indexOf(text: string): ReadonlyMap<string, Package> {
  const found = new Map<string, Package>()
  const provided = new Map<string, Package>()
  for (const paragraph of text.split('\n\n')) {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(paragraph)?.[1] ?? ''
    const name = field('Package')
    if (name === '') continue
    const names = (list: string) => list.split(',').map((one) => one.trim().split(/[ :(]/)[0]!).filter((one) => one !== '')
    const one: Package = { name, depends: names(field('Depends')), filename: field('Filename'), sha256: field('SHA256') }
    found.set(name, one)
    for (const other of names(field('Provides'))) if (!provided.has(other)) provided.set(other, one)
  }
  for (const [name, one] of provided) if (!found.has(name)) found.set(name, one)
  return found
}

/**
 * The packages and what they need of Go's, in turn. Other dependencies (libraries, shells) are the machine's own; what a build really
 * lacks, the build says.
 */
function closureOf(index: ReadonlyMap<string, Package>, names: readonly string[]): readonly Package[] {
  const wanted = new Map<string, Package>()
  const queue = [...names]
  for (const name of queue) {
    const one = index.get(name)
    if (!one && names.includes(name)) throw new Unreachable(`${mirror} has no package ${name}`)
    if (!one || wanted.has(one.name)) continue
    wanted.set(one.name, one)
    queue.push(...one.depends.filter((other) => other.startsWith('golang-')))
  }
  return [...wanted.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** Where tests keep what takes long to make. */
export const testCache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'skiff-tests')

/**
 * Unpacks these packages of Debian's newest suite, with everything of Go's they need, into one folder that `label` names. What an earlier
 * run unpacked is used again when the suite still has the same. Throws `Unreachable` when the mirror does not answer or lacks one.
 */
export async function unpackFromSid(label: string, names: readonly string[]): Promise<Unpacked> {
  const work = join(tmpdir(), `skiff-sid-${process.pid}`)
  mkdirSync(work, { recursive: true })
  try {
    const architecture = (await must('dpkg', ['--print-architecture'], 'dpkg')).trim()
    const packages = closureOf(await readIndex(work, architecture), names)
    const key = `${label}-${createHash('sha256').update(packages.map((one) => one.sha256).join()).digest('hex').slice(0, 16)}`
    const root = join(testCache, key)
    if (!existsSync(root)) await unpack(packages, work, root)
    removeOld(label, [key])
    return unpackedIn(root)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Removes what an earlier run kept under this label, but for these. What was replaced just now may still be in use by another run: it stays for a day. */
export function removeOld(label: string, kept: readonly string[]): void {
  const old = readdirSync(testCache).filter((other) => other.startsWith(`${label}-`) && !kept.includes(other)).map((other) => join(testCache, other))
  for (const other of old) if (Date.now() - statSync(other).ctimeMs > 86_400_000) rmSync(other, { recursive: true, force: true })
}

/** What an earlier run unpacked under this label, if it did: for places without the mirror. */
export function unpackedBefore(label: string): Unpacked | undefined {
  if (!existsSync(testCache)) return undefined
  const folders = readdirSync(testCache).filter((name) => new RegExp(`^${label}-[0-9a-f]{16}$`).test(name)).map((name) => join(testCache, name))
  const newest = folders.toSorted((a, b) => statSync(b).ctimeMs - statSync(a).ctimeMs)[0]
  return newest === undefined ? undefined : unpackedIn(newest)
}

const unpackedIn = (root: string): Unpacked => ({ root, path: (file) => join(root, file) })

async function unpack(packages: readonly Package[], work: string, root: string): Promise<void> {
  const files = packages.map((one) => ({ ...one, url: `${mirror}/${one.filename}`, to: join(work, `${one.name}.deb`) }))
  await fetchAll(files, work)
  const building = `${root}.${process.pid}`
  mkdirSync(building, { recursive: true })
  for (const { to, sha256: expected } of files) check(to, expected)
  const waiting = files.map((one) => one.to)
  const worker = async () => {
    for (let deb = waiting.pop(); deb; deb = waiting.pop()) await must('dpkg', ['-x', deb, building], deb)
  }
  await Promise.all([worker(), worker(), worker(), worker()])
  renameSync(building, root)
}
