/** Paths in volumes and file systems. */
import type { Place } from '../../../../machinery/field.ts'

/** Whether a step of the path leads up. */
export const climbs = (path: string): boolean => path.includes('..') && path.split('/').includes('..')

/** Relative, and not above where it starts. */
export function descendingPath(at: Place, path: string): void {
  if (path.startsWith('/')) at.invalid(path, 'must be a relative path')
  noClimbing(at, path)
}

/** A path without `..`. */
export function noClimbing(at: Place, path: string): void {
  if (climbs(path)) at.invalid(path, "must not contain '..'")
}

/** A descending path whose first part does not begin with `..`: such names are the node's own. */
export function projectedPath(at: Place, path: string): void {
  if (path.startsWith('..') && !climbs(path)) at.invalid(path, "must not start with '..'")
  else descendingPath(at, path)
}

/** A path that begins with a slash. */
export function absolutePath(at: Place, path: string): void {
  if (!path.startsWith('/')) at.invalid(path, 'must be an absolute path')
}

/** The permission bits of a file. */
export function fileMode(at: Place, mode: number | undefined): void {
  if (mode !== undefined && (mode < 0 || mode > 0o777)) at.invalid(mode, 'must be a number between 0 and 0777 (octal), both inclusive')
}
