//! "Did you mean": the nearest of the words that would have been right.

/// Names beyond this many are not worth listing in a hint.
const MOST_LISTED: usize = 12;

/// Names beyond this many are not searched: a hint is not worth a second.
const MOST_SEARCHED: usize = 20_000;

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
    candidates
        .into_iter()
        .take(MOST_SEARCHED)
        .map(|candidate| {
            let lower = candidate.to_lowercase();
            let mut score = strsim::damerau_levenshtein(&wanted, &lower);
            // `group` for `groups`, `sg` for `security_groups`: a part of the
            // word is nearer than its length says.
            if wanted.len() >= 3 && (lower.starts_with(&wanted) || wanted.starts_with(&lower)) {
                score = score.min(1);
            }
            (score, lower.chars().count(), candidate)
        })
        .filter(|(score, len, _)| *score <= (*len.max(&wanted.chars().count()) / 3).max(1))
        .min_by_key(|(score, _, _)| *score)
        .map(|(_, _, candidate)| candidate)
        .filter(|candidate| !candidate.is_empty())
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
    let listed: Vec<String> = candidates
        .iter()
        .take(MOST_LISTED)
        .map(|c| format!("`{c}`"))
        .collect();
    let rest = candidates.len().saturating_sub(MOST_LISTED);
    if rest == 0 {
        format!("known are {}", listed.join(", "))
    } else {
        format!("known are {} and {rest} more", listed.join(", "))
    }
}
