//! A network as a picture: what there is, what is in what, and what leads where.

mod dot;
mod legend;
mod links;
mod mermaid;
mod shown;
mod svg;
mod text;
mod tree;
mod walk;

use shown::Shown;
pub(crate) use text::escaped;
use vpcsim_dataplane::Program;
use vpcsim_network::Network;
use vpcsim_replay::trace::Trace;
use walk::Walk;

/// The languages that a graph can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A drawing, laid out, for browsers and documents.
    Svg,
    /// For Graphviz.
    Dot,
    /// For Mermaid, which code forges draw in Markdown.
    Mermaid,
}

impl Format {
    /// The format that a file's ending stands for.
    pub fn of_ending(ending: &str) -> Option<Self> {
        match ending.to_ascii_lowercase().as_str() {
            "svg" => Some(Self::Svg),
            "dot" | "gv" => Some(Self::Dot),
            "mmd" | "mermaid" => Some(Self::Mermaid),
            _ => None,
        }
    }
}

/// A network, and perhaps a trace, ready to be drawn.
#[derive(Debug)]
pub struct Graph<'n> {
    network: &'n Network,
    title: String,
    walk: Option<Walk>,
    shown: Shown,
}

impl<'n> Graph<'n> {
    /// The graph of a network; `title` is what it is called.
    ///
    /// Up to 60 hosts each has a box of its own. Of more, every subnet shows a few and says how
    /// many others there are.
    pub fn new(program: &'n Program, title: &str) -> Self {
        let network = program.network();
        Self {
            network,
            title: title.to_owned(),
            walk: None,
            shown: Shown::new(network, None),
        }
    }

    /// The same with the walk of a packet and its reply over it. `trace` is one of this network.
    #[must_use]
    pub fn with_trace(self, trace: &Trace) -> Self {
        let walk = Walk::new(self.network, trace);
        Self {
            shown: Shown::new(self.network, Some(&walk)),
            walk: Some(walk),
            ..self
        }
    }

    /// What it is, in one line.
    fn headline(&self) -> String {
        let walk = self.walk.as_ref();
        walk.map_or_else(|| self.title.clone(), Walk::headline)
    }

    /// The graph in a language. The same network and trace give the same text.
    pub fn write(&self, format: Format) -> String {
        match format {
            Format::Svg => svg::write(self),
            Format::Dot => dot::write(self),
            Format::Mermaid => mermaid::write(self),
        }
    }
}
