/** `skiff kubeconfig`: the administrator's kubeconfig, or where it is. */
import { existsSync, readFileSync } from 'node:fs'
import { UserError } from '../cluster/user-error.ts'
import { existing } from './options.ts'
import type { ClusterOptions } from './options.ts'

export function kubeconfig(options: ClusterOptions): void {
  const { paths } = existing(options)
  if (!existsSync(paths.kubeconfig)) throw new UserError(`cluster "${options.name}" has not been booted yet; run "skiff up"`)
  if (options.path) console.log(paths.kubeconfig)
  else process.stdout.write(readFileSync(paths.kubeconfig, 'utf8'))
}
