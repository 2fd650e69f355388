/** `skiff down`: nothing of the cluster stays on the host but its data directory; with --purge, not even that. */
import { existsSync } from 'node:fs'
import { createLog } from '../cluster/log.ts'
import { removeCluster } from '../cluster/remove.ts'
import { existing, needRoot, pathsFrom } from './options.ts'
import type { ClusterOptions } from './options.ts'

export interface DownOptions extends ClusterOptions {
  readonly purge?: boolean
}

export async function down(options: DownOptions): Promise<void> {
  needRoot('down')
  const paths = pathsFrom(options)
  if (!existsSync(paths.data) && !existsSync(paths.run)) {
    console.log(`there is no cluster "${options.name}" here`)
    return
  }
  if (options.port !== undefined) existing(options)
  const purge = options.purge === true
  await removeCluster({ paths, name: options.name, purge, log: createLog('error'), say: (text) => console.log(`  ${text}`) })
  console.log(purge ? `cluster "${options.name}" is gone` : `cluster "${options.name}" is down; its data stays in ${paths.data} ("skiff down --purge" removes it)`)
}
