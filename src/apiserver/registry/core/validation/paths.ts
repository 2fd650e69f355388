/** Paths in volumes and file systems. */
import type { Path } from '../../../../machinery/field.ts'
import { none, type Errors } from '../../checks.ts'

const climbs = (path: string): boolean => path.includes('..') && path.split('/').includes('..')

/** Relative, and not above where it starts. */
export function descendingPath(at: Path, path: string): Errors {
  return path.startsWith('/') ? [at.invalid(path, 'must be a relative path'), ...noClimbing(at, path)] : noClimbing(at, path)
}

export const noClimbing = (at: Path, path: string): Errors => (climbs(path) ? [at.invalid(path, "must not contain '..'")] : none)

/** A descending path whose first part does not begin with `..`: such names are the node's own. */
export function projectedPath(at: Path, path: string): Errors {
  return path.startsWith('..') && !climbs(path) ? [at.invalid(path, "must not start with '..'")] : descendingPath(at, path)
}

export const absolutePath = (at: Path, path: string): Errors => (path.startsWith('/') ? none : [at.invalid(path, 'must be an absolute path')])

/** The permission bits of a file. */
export const fileMode = (at: Path, mode: number | undefined): Errors =>
  (mode !== undefined && (mode < 0 || mode > 0o777) ? [at.invalid(mode, 'must be a number between 0 and 0777 (octal), both inclusive')] : none)
