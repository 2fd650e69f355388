/** Benched servers run as the `skiff` launcher runs Node. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const launcher = readFileSync(join(import.meta.dirname, '../../skiff'), 'utf8')

/** The flags that the launcher gives Node. */
export const launcherFlags: readonly string[] = /^exec "\$node" (.*?) "\$\(/m.exec(launcher)![1]!.split(' ')
