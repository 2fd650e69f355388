/** The newest clients there are, from Debian's newest suite: kubectl, kustomize and Prometheus as programs, client-go as sources to build ours with. */
import { join } from 'node:path'
import { run } from './host.ts'
import { Unreachable, testCache, unpackFromSid, unpackedBefore } from './sid.ts'
import type { Unpacked } from './sid.ts'

export interface Genuine {
  readonly kubectl: string
  readonly kustomize: string
  readonly prometheus: string
  /** Builds a folder of Go sources into one program, without modules: the packages are all there is. Throws with the compiler's words. */
  build(sources: string): Promise<string>
}

const label = 'genuine'
const packages = ['golang-go', 'golang-k8s-client-go-dev', 'kubectl', 'kustomize', 'prometheus']

/**
 * Fetches them (about 170 MB, once) or finds them where an earlier run left them. Without the mirror: an error in CI, elsewhere what is
 * there, and undefined when nothing is; then it says so.
 */
export async function genuine(): Promise<Genuine | undefined> {
  try {
    return genuineIn(await unpackFromSid(label, packages))
  } catch (error) {
    if (!(error instanceof Unreachable) || process.env['CI']) throw error
    const before = genuineBefore()
    console.warn(`${error.message}\n${before ? 'Genuine clients are those of an earlier run.' : 'TESTS WITH GENUINE CLIENTS (client-go, the newest kubectl) DO NOT RUN.'}`)
    return before
  }
}

/** What an earlier run left. */
export function genuineBefore(): Genuine | undefined {
  const unpacked = unpackedBefore(label)
  return unpacked && genuineIn(unpacked)
}

const genuineIn = (unpacked: Unpacked): Genuine => ({
  kubectl: unpacked.path('usr/bin/kubectl'),
  kustomize: unpacked.path('usr/bin/kustomize'),
  prometheus: unpacked.path('usr/bin/prometheus'),
  async build(sources) {
    const program = join(testCache, 'clients')
    const env = {
      GOROOT: unpacked.path('usr/lib/go'), GOPATH: unpacked.path('usr/share/gocode'), GOCACHE: join(testCache, 'go-build'),
      GO111MODULE: 'off', GOTOOLCHAIN: 'local', GOFLAGS: '', CGO_ENABLED: '0',
    }
    const built = await run('sh', ['-c', 'cd "$1" && exec "$GOROOT/bin/go" build -trimpath -ldflags=-s -o "$2" .', 'sh', sources, program], { env, timeoutMs: 1_200_000 })
    if (built.code !== 0) throw new Error(`go build: ${built.stderr}`)
    return program
  },
})
