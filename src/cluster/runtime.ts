/** Which containerd a cluster uses. */
import { join } from 'node:path'
import type { Paths } from './paths.ts'
import type { Settings } from './settings.ts'

/** The path of containerd's socket: the cluster's own, unless another was configured. */
export const runtimeSocket = (paths: Paths, settings: Settings): string => settings.runtimeEndpoint ?? join(paths.containerdRun, 'containerd.sock')
