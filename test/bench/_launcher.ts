/** Benched servers run as the `skiff` launcher runs Node. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const launcher = readFileSync(join(import.meta.dirname, '../../skiff'), 'utf8')

/** The flags that the launcher gives Node. */
export const launcherFlags: readonly string[] = /^exec "\$node" (.*?) "\$\(/m.exec(launcher)![1]!.split(' ')

/** How the launcher has memory outside of V8's heap handed out. */
export const launcherEnvironment: Readonly<Record<string, string>> = Object.fromEntries([...launcher.matchAll(/(MALLOC_\w+)=(\d+)/g)].map(([, name = '', value = '']) => [name, value]))
