/** `skiff version`: what this program is, what it speaks, and what the cluster runs if it is up. */
import { readSettings } from '../cluster/settings.ts'
import { version } from '../cluster/version.ts'
import { existing, pathsFrom } from './options.ts'
import type { ClusterOptions } from './options.ts'

export async function printVersion(options: ClusterOptions): Promise<void> {
  console.log(`skiff ${version}\nKubernetes v1.36.0`)
  if (!readSettings(pathsFrom(options))) return
  existing(options)
  const { inspect } = await import('./status.ts')
  const report = await inspect(options)
  console.log(`cluster ${report.name}: ${report.version ?? report.state}`)
}
