//! Plans, executed on a small world: scripted scenarios with the expected steps, and properties over
//! random histories.

#[cfg(test)]
mod properties;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod world;
