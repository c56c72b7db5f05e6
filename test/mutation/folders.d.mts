export const FOLDERS: readonly string[];
export const SCORE_MIN: number;
export function mutatedFolder(): string;
export function judgesOf(folder: string): string[];
