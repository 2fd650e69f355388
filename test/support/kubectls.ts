/**
 * The kubectls that tests run, one for each minor version: this machine's, Debian's newest (`genuine.ts`), older ones as released
 * (`released.ts`), and those named in KUBECTLS.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { genuineBefore } from './genuine.ts'
import { releasedBefore } from './released.ts'

export interface Kubectl {
  /** `1.32`. */
  readonly version: string
  readonly minor: number
  readonly path: string
}

/** The one that is called by its name stands first, and is there: nothing here works without it. KUBECTLS adds others, separated by colons. */
const places = [
  'kubectl',
  '/usr/bin/kubectl',
  '/usr/local/bin/kubectl',
  genuineBefore()?.kubectl ?? '',
  ...releasedBefore().map((one) => one.kubectl),
  ...(process.env['KUBECTLS'] ?? '').split(':').filter((path) => path !== ''),
].filter((path) => path === 'kubectl' || existsSync(path))

/** In the order of their versions. */
export const kubectls: readonly Kubectl[] = [...new Map(places.toReversed().map((path) => {
  const { clientVersion } = JSON.parse(execFileSync(path, ['version', '--client', '-o', 'json'], { encoding: 'utf8' })) as { clientVersion: { major: string; minor: string } }
  const minor = Number(clientVersion.minor.replace(/\D.*/, ''))
  return [minor, { version: `${clientVersion.major}.${minor}`, minor, path }]
})).values()].toSorted((a, b) => a.minor - b.minor)
