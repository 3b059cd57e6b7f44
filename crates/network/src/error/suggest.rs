//! "Did you mean": the nearest of the words that would have been right.

/// Names beyond this many are not worth listing in a hint.
const MOST_LISTED: usize = 12;

/// Names beyond this many are not searched: a hint is not worth a second, and
/// a file may hold thousands of references to nothing.
const MOST_SEARCHED: usize = 2_000;

/// The candidate that `word` most likely means, if any is near.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let wanted = word.to_lowercase();
    // Far longer than any name: nothing is near it, and comparing is not free.
    if wanted.len() > 128 {
        return None;
    }
    let length = wanted.chars().count();
    candidates
        .into_iter()
        .take(MOST_SEARCHED)
        .filter_map(|candidate| {
            let lower = candidate.to_lowercase();
            let longest = length.max(lower.chars().count());
            // `group` for `groups`: a part of the word is nearer than its
            // length says.
            let part = length >= 3 && (lower.starts_with(&wanted) || wanted.starts_with(&lower));
            let bound = (longest / 3).max(1);
            if !part && lower.chars().count().abs_diff(length) > bound {
                return None;
            }
            let distance = strsim::damerau_levenshtein(&wanted, &lower);
            let score = if part { distance.min(1) } else { distance };
            // Words without a letter in common are not near, however short.
            (score <= bound && distance < longest).then_some((score, candidate))
        })
        .min_by_key(|(score, _)| *score)
        .map(|(_, candidate)| candidate)
}

/// A hint: the nearest candidate, or all of them where they are few.
/// `otherwise` says what to do when there are none.
pub(crate) fn suggest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    otherwise: &str,
) -> String {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(near) = nearest(word, candidates.iter().copied()) {
        return format!("did you mean `{near}`?");
    }
    if candidates.is_empty() {
        return otherwise.to_owned();
    }
    let mut listed: Vec<String> = Vec::new();
    for candidate in candidates.iter().take(MOST_LISTED) {
        let quoted = format!("`{candidate}`");
        if !listed.contains(&quoted) {
            listed.push(quoted);
        }
    }
    let rest = candidates.len().saturating_sub(MOST_LISTED);
    if rest == 0 {
        format!("known are {}", listed.join(", "))
    } else {
        format!("known are {} and {rest} more", listed.join(", "))
    }
}
