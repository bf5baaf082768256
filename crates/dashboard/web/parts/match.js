// Whether the window is so, for what styles alone cannot tell.
import { useEffect, useState } from 'preact/hooks';

/** @param {string} query of media */
export function useMatch(query) {
  const [is, set] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const onChange = () => set(media.matches);
    media.addEventListener('change', onChange);
    return () => media.removeEventListener('change', onChange);
  }, [query]);
  return is;
}
