export function count(text) {
    return text.split(/\s+/u).filter(Boolean).length;
}

export function shout(text) {
    return text.toUpperCase();
}
