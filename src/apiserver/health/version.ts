/** What this server says it is: `GET /version`. */
import { arch, platform, versions } from 'node:process'

/** The Kubernetes release whose behaviour is served. */
const kubernetesVersion = '1.36.0'
const skiffVersion = '0.1.0'
const architecture = { x64: 'amd64', ia32: '386' } as Readonly<Record<string, string>>

/** `version.Info` as clients parse it: a semantic version whose build part names this server. */
export const versionInfo = {
  major: '1',
  minor: '36',
  emulationMajor: '1',
  emulationMinor: '36',
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '35',
  gitVersion: `v${kubernetesVersion}+skiff.${skiffVersion}`,
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: `node-v${versions.node}`,
  platform: `${platform}/${architecture[arch] ?? arch}`,
} as const
